"""Gaussian noise, as in randomised smoothing, and Gaussian blur."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from purigeom.noise import Noise
from purigeom.protocols import Declaration, ImageMap


@dataclass(frozen=True)
class GaussianNoise:
    """Add normal noise to every pixel: the random map of randomised smoothing (Cohen et al. 2019).

    Parameters
    ----------
    sigma
        Standard deviation on the scale where white is one.
    clamp
        Whether the noised image is brought back to [0, 1]; randomised smoothing does not.
    """

    sigma: float
    clamp: bool = False

    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if not 0 <= self.sigma < math.inf:
            msg = f"GaussianNoise.sigma must be finite and not negative; got {self.sigma}."
            raise ValueError(msg)

    @property
    def declaration(self) -> Declaration:
        """Return what the map promises; its range hangs on `clamp`."""
        return Declaration(family="gaussian noise", range="clamped" if self.clamp else "unbounded")

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> ImageMap:
        del image_shape

        def purify(images: Tensor) -> Tensor:
            noised = images + self.sigma * noise.normal_like(images)
            return noised.clamp(0, 1) if self.clamp else noised

        return purify


@dataclass(frozen=True)
class GaussianBlur:
    """Average every pixel with its neighbours under a Gaussian; edges are mirrored, no randomness is used.

    Parameters
    ----------
    sigma
        Standard deviation of the Gaussian, in pixels.
    width
        Pixels from one end of the square window to the other.
    """

    sigma: float
    width: int = 3

    version: ClassVar[int] = 1
    declaration: ClassVar[Declaration] = Declaration(family="gaussian blur")

    def __post_init__(self) -> None:
        if not 0 < self.sigma < math.inf:
            msg = f"GaussianBlur.sigma must be finite and positive; got {self.sigma}."
            raise ValueError(msg)
        if self.width < 1 or self.width % 2 == 0:
            msg = f"GaussianBlur.width must be odd and positive to keep the blur centred; got {self.width}."
            raise ValueError(msg)

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> ImageMap:
        del noise, image_shape
        window, reach = _window(self.sigma, self.width), self.width // 2

        def purify(images: Tensor) -> Tensor:
            channels = images.shape[1]
            kernel = window.to(images).expand(channels, 1, -1, -1)
            mirrored = pad(images, (reach, reach, reach, reach), mode="reflect")
            return conv2d(mirrored, kernel, groups=channels).clamp(0, 1)

        return purify


def _window(sigma: float, width: int) -> Tensor:
    offset = torch.arange(width, dtype=torch.float64) - width // 2
    weight = torch.exp(-(offset / sigma).square() / 2)
    weight = weight / weight.sum()
    return torch.outer(weight, weight)
