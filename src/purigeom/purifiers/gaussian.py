"""Gaussian noise, as in randomised smoothing, and Gaussian blur."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from purigeom.geometry.company import accompanied
from purigeom.noise import Noise
from purigeom.protocols import Declaration, ImageMap
from purigeom.settings import check_flags, check_positive, check_sizes, check_width


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
        check_sizes(self, "sigma")
        check_flags(self, "clamp")

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
        check_positive(self, "sigma")
        check_width(self, "width")

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> ImageMap:
        del noise, image_shape
        window, reach = _window(self.sigma, self.width), self.width // 2

        def purify(images: Tensor) -> Tensor:
            channels = images.shape[1]
            kernel = window.to(images).expand(channels, 1, -1, -1)
            mirrored = pad(images, (reach, reach, reach, reach), mode="reflect")
            return accompanied(lambda padded: conv2d(padded, kernel, groups=channels), mirrored).clamp(0, 1)

        return purify


def _window(sigma: float, width: int) -> Tensor:
    offset = torch.arange(width, dtype=torch.float64) - width // 2
    weight = torch.exp(-(offset / sigma).square() / 2)
    weight = weight / weight.sum()
    return torch.outer(weight, weight)
