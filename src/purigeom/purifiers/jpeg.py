"""JPEG compression, with a rounding that has a gradient or with the real one."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn.functional import pad

from purigeom.geometry.company import accompanied
from purigeom.noise import Noise
from purigeom.protocols import Declaration, ImageMap
from purigeom.settings import is_whole

_BLOCK = 8
_LUMINANCE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMINANCE = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * _BLOCK,) * 4,
)
_YCBCR = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
_COLOURS = {
    1: (((1.0,),), (_LUMINANCE,)),
    3: (_YCBCR, (_LUMINANCE, _CHROMINANCE, _CHROMINANCE)),
}
"""For one channel and for three: the matrix from pixels to planes, and the table of every plane."""


@dataclass(frozen=True)
class JPEG:
    """Round the 8 x 8 cosine coefficients of grey or RGB images as JPEG does, without chroma subsampling.

    Only coefficients are rounded; pixels stay real numbers. Images are continued by their edge to multiples
    of eight.

    Parameters
    ----------
    quality
        From 1 to 100; scales the standard tables as libjpeg does.
    rounding
        "smooth" is round(x) + (x - round(x))^3, which has a gradient (Shin & Song 2017); "hard" is round(x).
    """

    quality: int = 75
    rounding: Literal["smooth", "hard"] = "smooth"

    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if not is_whole(self.quality) or self.quality not in range(1, 101):
            msg = f"JPEG.quality must be a whole number from 1 to 100; got {self.quality!r}."
            raise ValueError(msg)
        if self.rounding not in ("smooth", "hard"):
            msg = f"JPEG.rounding must be 'smooth' or 'hard'; got {self.rounding!r}."
            raise ValueError(msg)

    @property
    def declaration(self) -> Declaration:
        """Return what the map promises; its gradient hangs on `rounding`."""
        if self.rounding == "smooth":
            return Declaration(family="jpeg", differentiability="exact")
        return Declaration(family="jpeg", differentiability="piecewise constant")

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> ImageMap:
        del noise, image_shape
        rounded = smooth_round if self.rounding == "smooth" else torch.round

        def purify(images: Tensor) -> Tensor:
            colours, table = _colours(images, self.quality)
            cosines = _cosines().to(images)
            coefficients = _transformed(cosines, _blocks(_mixed(colours, 255 * images - 128)))
            kept = table * rounded(coefficients / table)
            planes = _transformed(cosines.T, kept).flatten(-2).flatten(-3, -2)
            pixels = (_mixed(colours.inverse(), planes) + 128) / 255
            return pixels[..., : images.shape[-2], : images.shape[-1]].clamp(0, 1)

        return purify


def smooth_round(values: Tensor) -> Tensor:
    """Round with the slope 3 (x - round(x))^2 instead of zero (Shin & Song 2017)."""
    nearest = values.round()
    return nearest + (values - nearest) ** 3


def quantisation_tables(quality: int, base: tuple[tuple[tuple[int, ...], ...], ...]) -> Tensor:
    """Scale the standard tables to a quality, in whole numbers from 1 to 255, as libjpeg does."""
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    return ((torch.tensor(base) * percent + 50) // 100).clamp(1, 255)


def _colours(images: Tensor, quality: int) -> tuple[Tensor, Tensor]:
    """Return the matrix from pixels to colour planes and the table of every plane, shaped to meet blocks."""
    channels = images.shape[-3]
    if channels not in _COLOURS:
        msg = f"JPEG needs grey images (1 channel) or RGB images (3 channels); got {channels} channels."
        raise ValueError(msg)
    matrix, base = _COLOURS[channels]
    tables = quantisation_tables(quality, base).reshape(channels, 1, _BLOCK, 1, _BLOCK)
    return torch.tensor(matrix, dtype=torch.float64).to(images), tables.to(images)


def _mixed(matrix: Tensor, images: Tensor) -> Tensor:
    return torch.einsum("pc,...cij->...pij", matrix, images)


def _blocks(planes: Tensor) -> Tensor:
    """Return the planes with axes (..., block row, row, block column, column)."""
    below, right = (-size % _BLOCK for size in planes.shape[-2:])
    whole = pad(planes, (0, right, 0, below), mode="replicate")
    return whole.reshape(*planes.shape[:-2], -1, _BLOCK, whole.shape[-1] // _BLOCK, _BLOCK)


def _transformed(matrix: Tensor, blocks: Tensor) -> Tensor:
    """Apply the matrix to the rows and to the columns of every block."""
    return accompanied(lambda some: torch.einsum("ui,vj,...risj->...rusv", matrix, matrix, some), blocks)


def _cosines() -> Tensor:
    """Return the orthonormal cosine transform of length eight."""
    place = torch.arange(_BLOCK, dtype=torch.float64)
    waves = torch.cos(math.pi / _BLOCK * torch.outer(place, place + 0.5)) / math.sqrt(_BLOCK / 2)
    waves[0] /= math.sqrt(2)
    return waves
