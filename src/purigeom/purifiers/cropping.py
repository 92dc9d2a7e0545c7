"""Random cropping and rescaling."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from purigeom.noise import Noise
from purigeom.protocols import Declaration, ImageMap
from purigeom.purifiers.resampling import Method, check_method, resampled, stretched
from purigeom.settings import is_number


@dataclass(frozen=True)
class RandomCrop:
    """Stretch a random part of every image to the whole (Guo et al. 2018).

    One draw is one crop; their ensemble, the mean answer to 30 of them, is the vote over so many draws. The map is
    linear.

    Parameters
    ----------
    share
        Of every side, how much is kept; published are 90 of 224 pixels.
    method
        How pixels are resized.
    """

    share: float = 90 / 224
    method: Method = "bilinear"

    version: ClassVar[int] = 1
    declaration: ClassVar[Declaration] = Declaration(family="random crop")

    def __post_init__(self) -> None:
        if not is_number(self.share) or not 0 < self.share < 1:
            msg = f"RandomCrop.share must be a share between 0 and 1; got {self.share!r}."
            raise ValueError(msg)
        check_method("RandomCrop", self.method)

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> ImageMap:
        sides = image_shape[-2:]
        kept = [math.ceil(self.share * side) for side in sides]

        def purify(images: Tensor) -> Tensor:
            words = noise.child("place").words_like(torch.zeros(len(images), 2, device=images.device))
            starts = [words[:, axis] % (sides[axis] - kept[axis] + 1) for axis in (0, 1)]
            rows, columns = (
                stretched(side, torch.full_like(start, length), start, self.method)
                for side, length, start in zip(sides, kept, starts, strict=True)
            )
            return resampled(images, rows, columns).clamp(0, 1)

        return purify
