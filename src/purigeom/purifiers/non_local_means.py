"""Non-local means: an average over all that looks alike, near or far."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import ClassVar, TypeAlias

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from purigeom.geometry.company import accompanied
from purigeom.noise import Noise
from purigeom.protocols import Declaration, ImageMap
from purigeom.settings import check_counts, check_positive, check_width

Part: TypeAlias = tuple[slice, slice]
"""Which rows and which columns."""


@dataclass(frozen=True)
class NonLocalMeans:
    """Average every pixel with those around it whose patches resemble its own (Buades et al. 2005).

    A pixel weighs exp(-d), with d the squared difference of both patches over `strength` squared, averaged over
    channels and, under a Gaussian, over the patch: scikit-image's definition without its fast mode, which also stops
    counting where d is beyond 5. Patches are mirrored at the image's edge, pixels beyond it have no weight. Derivatives
    are exact.

    Parameters
    ----------
    strength
        The difference of patches that still counts as noise, where white is one; 4/255 in Xu et al. (2018).
    reach
        How many rows and columns away pixels are compared; 6 is the window of 13 of Xu et al.
    patch
        Pixels from one end of a square patch to the other.
    """

    strength: float = 4 / 255
    reach: int = 6
    patch: int = 3

    version: ClassVar[int] = 1
    declaration: ClassVar[Declaration] = Declaration(family="non-local means")

    def __post_init__(self) -> None:
        check_positive(self, "strength")
        check_counts(self, "reach")
        check_width(self, "patch", least=3)

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> ImageMap:
        del noise
        if self.patch // 2 >= min(image_shape[-2:]):
            msg = (
                f"NonLocalMeans.patch={self.patch} mirrors {self.patch // 2} pixels and needs larger images; got "
                f"{image_shape[-2]} x {image_shape[-1]}. Take a smaller patch."
            )
            raise ValueError(msg)

        def purify(images: Tensor) -> Tensor:
            margin = (self.patch // 2,) * 4
            mirrored, window = pad(images, margin, mode="reflect"), self._window().to(images)
            weights, sums = torch.zeros_like(images[:, :1]), torch.zeros_like(images)
            for here, there, outside in _shifts(images.shape[-2:], self.reach):
                apart = _patches(mirrored, here, margin[0]) - _patches(mirrored, there, margin[0])
                squares = apart.square().mean(1, keepdim=True)
                weight = torch.exp(-accompanied(partial(conv2d, weight=window), squares))
                weights = weights + pad(weight, outside)
                sums = sums + pad(weight * images[..., there[0], there[1]], outside)
            return (sums / weights).clamp(0, 1)

        return purify

    def _window(self) -> Tensor:
        """Return what every squared difference within a patch counts."""
        offset = torch.arange(self.patch, dtype=torch.float64) - self.patch // 2
        weight = torch.exp(-(offset / ((self.patch - 1) / 4)).square() / 2)
        square = torch.outer(weight, weight)
        return (square / square.sum() / self.strength**2)[None, None]


def _shifts(size: tuple[int, ...], reach: int) -> Iterator[tuple[Part, Part, tuple[int, ...]]]:
    """Yield, for every shift, the pixels that stay in the image, where they land, and how much lies around them."""
    rows, columns = size
    downs, rights = (range(-min(reach, side - 1), min(reach, side - 1) + 1) for side in size)
    for down, right in product(downs, rights):
        top, left = max(0, -down), max(0, -right)
        bottom, far = rows - max(0, down), columns - max(0, right)
        here = slice(top, bottom), slice(left, far)
        there = slice(top + down, bottom + down), slice(left + right, far + right)
        yield here, there, (left, columns - far, top, rows - bottom)


def _patches(mirrored: Tensor, part: Part, margin: int) -> Tensor:
    """Return some pixels of an image, and around them what their patches need."""
    rows, columns = (slice(side.start, side.stop + 2 * margin) for side in part)
    return mirrored[..., rows, columns]
