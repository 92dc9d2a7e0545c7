"""Fewer grey levels, one of the feature squeezers of Xu et al. (2018)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from purigeom.noise import Noise
from purigeom.protocols import Declaration, ImageMap
from purigeom.settings import is_whole

MOST_BITS = 16


@dataclass(frozen=True)
class BitDepth:
    """Round every pixel to the nearest of the `2 ** bits` evenly spaced levels from zero to one."""

    bits: int = 3

    version: ClassVar[int] = 1
    declaration: ClassVar[Declaration] = Declaration(family="bit depth", differentiability="piecewise constant")

    def __post_init__(self) -> None:
        if not is_whole(self.bits) or self.bits not in range(1, MOST_BITS + 1):
            msg = f"BitDepth.bits must be a whole number from 1 to {MOST_BITS}; got {self.bits!r}."
            raise ValueError(msg)

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> ImageMap:
        del noise, image_shape
        top = 2**self.bits - 1

        def purify(images: Tensor) -> Tensor:
            return torch.round(images.clamp(0, 1) * top).div(top)

        return purify
