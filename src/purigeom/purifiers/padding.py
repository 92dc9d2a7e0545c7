"""Random resizing and padding."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from purigeom.noise import Noise
from purigeom.protocols import Declaration, ImageMap
from purigeom.purifiers.resampling import Method, check_method, resampled, shrunk
from purigeom.settings import is_number


@dataclass(frozen=True)
class RandomPadding:
    """Resize every image to a random size and put it at a random place on black (Xie et al. 2018).

    The original enlarges 299 pixels to 299 up to 330, on a canvas of 331. A purifier keeps the size of images: here the
    canvas is as large as the image, which is resized to anything from `smallest` of it to all of it. Sizes and places
    are drawn when the map is pinned, which is linear.

    Parameters
    ----------
    smallest
        Least share of a side that the resized image takes.
    method
        How pixels are resized; published is "nearest".
    """

    smallest: float = 299 / 331
    method: Method = "nearest"

    version: ClassVar[int] = 1
    declaration: ClassVar[Declaration] = Declaration(family="random padding")

    def __post_init__(self) -> None:
        if not is_number(self.smallest) or not 0 < self.smallest < 1:
            msg = f"RandomPadding.smallest must be a share between 0 and 1; got {self.smallest!r}."
            raise ValueError(msg)
        check_method("RandomPadding", self.method)

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> ImageMap:
        rows, columns = image_shape[-2:]
        fewest = math.ceil(self.smallest * rows)

        def purify(images: Tensor) -> Tensor:
            words = noise.child("size and place").words_like(torch.zeros(len(images), 3, device=images.device))
            height = fewest + words[:, 0] % (rows - fewest + 1)
            width = (height * columns / rows).round().long().clamp(min=1)
            down = shrunk(rows, height, words[:, 1] % (rows - height + 1), self.method)
            right = shrunk(columns, width, words[:, 2] % (columns - width + 1), self.method)
            return resampled(images, down, right).clamp(0, 1)

        return purify
