"""The median filter, one of the feature squeezers of Xu et al. (2018)."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn.functional import pad, unfold

from purigeom.noise import Noise
from purigeom.protocols import Declaration, ImageMap
from purigeom.settings import check_width


@dataclass(frozen=True)
class MedianFilter:
    """Replace every pixel by the median of the `width` x `width` pixels around it; edges are mirrored.

    The gradient goes to the pixel that is the median. That is exact almost everywhere; among equal pixels
    the first in reading order is taken, on every device.
    """

    width: int = 3

    version: ClassVar[int] = 1
    declaration: ClassVar[Declaration] = Declaration(family="median filter")

    def __post_init__(self) -> None:
        check_width(self, "width")

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> ImageMap:
        del noise, image_shape
        reach = self.width // 2

        def purify(images: Tensor) -> Tensor:
            mirrored = pad(images, (reach, reach, reach, reach), mode="reflect")
            windows = unfold(mirrored, self.width).reshape(*images.shape[:2], self.width**2, -1)
            # A stable sort, not `median`, whose choice among equal pixels is left open.
            median = windows.sort(dim=2, stable=True).values[:, :, self.width**2 // 2]
            return median.reshape(images.shape).clamp(0, 1)

        return purify
