"""Enlarging and shrinking images as products with matrices, which every kind of derivative goes through."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch
from torch import Tensor
from torch.nn.functional import interpolate

Resampling: TypeAlias = Literal["bicubic", "nearest"]


@dataclass(frozen=True, eq=False)
class Resizing:
    """A linear map of the pixels of every channel: one matrix for its rows, one for its columns."""

    rows: Tensor
    columns: Tensor

    def __call__(self, images: Tensor) -> Tensor:
        return self.rows.to(images) @ images @ self.columns.to(images).T


def enlarging(image_shape: tuple[int, ...], factor: int, resampling: Resampling) -> Resizing:
    """Return the enlarging of images by a whole factor."""
    return Resizing(*(_matrix(size, factor * size, resampling) for size in image_shape[1:]))


def low_pass(image_shape: tuple[int, ...], factor: int, who: str) -> Resizing:
    """Return the map that shrinks images by a whole factor, without aliasing, and enlarges them again."""
    rest = [size for size in image_shape[1:] if size % factor]
    if rest:
        msg = f"{who} must divide the rows and columns of images; got {factor} for images of shape {image_shape}."
        raise ValueError(msg)
    return Resizing(*(_through(size, size // factor) for size in image_shape[1:]))


def _through(size: int, smaller: int) -> Tensor:
    return _matrix(smaller, size, "bicubic") @ _matrix(size, smaller, "bicubic")


def _matrix(size: int, target: int, resampling: Resampling) -> Tensor:
    """Return what resampling does to the unit vectors; cubic kernels widen where they shrink (Keys 1981)."""
    units = torch.eye(size, dtype=torch.float64)[None, None]
    return interpolate(units, (target, size), mode=resampling, antialias=resampling == "bicubic")[0, 0]
