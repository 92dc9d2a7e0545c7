"""Wavelet shrinkage: what is small among an image's Haar coefficients is taken for noise."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

import torch
from torch import Tensor
from torch.nn.functional import pad

from purigeom.noise import Noise
from purigeom.protocols import Declaration, ImageMap
from purigeom.settings import check_choices, check_counts, check_numbers

Rule: TypeAlias = Literal["bayes", "visu"]
Shrinkage: TypeAlias = Literal["soft", "hard"]
Shrink: TypeAlias = Callable[[Tensor], Tensor]

_NORMAL_QUARTILE = 0.6744897501960817
"""The median of the absolute value of a standard normal."""


@dataclass(frozen=True)
class WaveletShrinkage:
    """Shrink the details of the orthonormal Haar transform of every channel alone, then transform back.

    Images are continued by their mirror image to multiples of `2 ** levels`. Derivatives are exact where they exist,
    those of the threshold included; hard thresholds jump.

    Parameters
    ----------
    sigma
        Standard deviation of the noise to remove, 0.04 in Prakash et al. (2018); None estimates it from the finest
        diagonal details of every image, by their median absolute deviation.
    levels
        How often the image is halved.
    rule
        A threshold for every band of details, sigma^2 over the deviation of what is no noise in it (BayesShrink, Chang
        et al. 2000), or one for all, sigma sqrt(2 log pixels) (VisuShrink, Donoho and Johnstone 1994).
    shrinkage
        "soft" draws all details towards zero by the threshold, "hard" keeps those beyond it as they are.
    """

    sigma: float | None = 0.04
    levels: int = 2
    rule: Rule = "bayes"
    shrinkage: Shrinkage = "soft"

    version: ClassVar[int] = 1
    declaration: ClassVar[Declaration] = Declaration(family="wavelet shrinkage")

    def __post_init__(self) -> None:
        if self.sigma is not None:
            check_numbers(self, "sigma")
        if self.sigma is not None and not 0 <= self.sigma < math.inf:
            msg = f"WaveletShrinkage.sigma must be finite and not negative, or None to estimate it; got {self.sigma}."
            raise ValueError(msg)
        check_counts(self, "levels")
        check_choices(self, rule=Rule)
        check_choices(self, shrinkage=Shrinkage)

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> ImageMap:
        del noise
        rows, columns = image_shape[-2:]
        if 2**self.levels > min(rows, columns):
            msg = (
                f"WaveletShrinkage.levels={self.levels} needs images of at least {2**self.levels} pixels a side; got "
                f"{rows} x {columns}. Take fewer levels."
            )
            raise ValueError(msg)
        below, right = (-size % 2**self.levels for size in (rows, columns))

        def purify(images: Tensor) -> Tensor:
            whole = pad(images, (0, right, 0, below), mode="reflect")
            sigma = estimated_noise(whole) if self.sigma is None else torch.tensor(self.sigma).to(images)
            shrunk = _shrunk(whole, self.levels, lambda details: self._shrink(details, sigma, rows * columns))
            return shrunk[..., :rows, :columns].clamp(0, 1)

        return purify

    def _shrink(self, details: Tensor, sigma: Tensor, pixels: int) -> Tensor:
        """Return the bands of details of one level, (..., band, row, column), with less noise in them."""
        if self.rule == "visu":
            threshold = sigma * math.sqrt(2 * math.log(pixels))
        else:
            beyond_noise = details.square().mean((-2, -1), keepdim=True) - sigma.square()
            threshold = sigma.square() / beyond_noise.clamp(min=torch.finfo(details.dtype).eps).sqrt()
        if self.shrinkage == "hard":
            return details.where(details.abs() > threshold, 0)
        return details.sign() * (details.abs() - threshold).relu()


def estimated_noise(images: Tensor) -> Tensor:
    """Return the noise of every image and channel, shaped to meet bands of details."""
    diagonal = analysed(images)[..., -1, :, :].abs().flatten(-2)
    ordered, middle = diagonal.sort(dim=-1, stable=True).values, diagonal.shape[-1] - 1
    median = (ordered[..., middle // 2] + ordered[..., -(-middle // 2)]) / 2
    return (median / _NORMAL_QUARTILE)[..., None, None, None]


def analysed(images: Tensor) -> Tensor:
    """Return the four bands, (..., band, row, column), of one level: averages, then details, the diagonal ones last."""
    below = images[..., ::2, :] + images[..., 1::2, :], images[..., ::2, :] - images[..., 1::2, :]
    bands = [band for rows in below for band in (rows[..., ::2] + rows[..., 1::2], rows[..., ::2] - rows[..., 1::2])]
    return torch.stack(bands, -3) / 2


def synthesised(bands: Tensor) -> Tensor:
    """Return the images that `analysed` makes these bands of."""
    pairs = bands.unbind(-3)
    halves = [torch.stack([mean + apart, mean - apart], -1).flatten(-2) for mean, apart in (pairs[:2], pairs[2:])]
    return torch.stack([halves[0] + halves[1], halves[0] - halves[1]], -2).flatten(-3, -2) / 2


def _shrunk(images: Tensor, levels: int, shrink: Shrink) -> Tensor:
    if not levels:
        return images
    bands = analysed(images)
    averages = _shrunk(bands[..., 0, :, :], levels - 1, shrink)
    return synthesised(torch.cat([averages.unsqueeze(-3), shrink(bands[..., 1:, :, :])], -3))
