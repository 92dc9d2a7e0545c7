"""Images cut into blocks at places of their own, and what can be done to all blocks of all images at once."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from purigeom.noise import Noise

KEPT_SIZE = 0.8
LEFT_OUT = 0.4


@dataclass(frozen=True)
class Spans:
    """How one axis of every image is cut, for every place along it: (image, place).

    Attributes
    ----------
    place
        The place itself.
    number
        Which span it lies in.
    first
        Where that span starts.
    size
        How long it is.
    """

    place: Tensor
    number: Tensor
    first: Tensor
    size: Tensor

    @classmethod
    def drawn(cls, noise: Noise, images: Tensor, length: int, count: int) -> "Spans":
        """Return spans that are cut at different places, any as likely as any other."""
        if length < count:
            msg = f"An image of {length} pixels along an axis cannot be cut into {count} blocks; take fewer blocks."
            raise ValueError(msg)
        images_count, device = len(images), images.device
        ranks = noise.words_like(images.new_zeros(images_count, max(length - 1, 1))).argsort(1)
        cuts = (ranks[:, : count - 1] + 1).sort(1).values
        ends = [torch.full((images_count, 1), end, device=device) for end in (0, length)]
        bounds = torch.cat([ends[0], cuts, ends[1]], 1)
        place = torch.arange(length, device=device).expand(images_count, -1)
        number = (place.unsqueeze(2) >= cuts.unsqueeze(1)).sum(2)
        first = bounds.gather(1, number)
        return cls(place, number, first, bounds.gather(1, number + 1) - first)

    @property
    def mirrored(self) -> Tensor:
        """Return the place that every place changes with when its span is turned round."""
        return 2 * self.first + self.size - 1 - self.place


@dataclass(frozen=True)
class Blocks:
    """A grid of blocks on every image."""

    rows: Spans
    columns: Spans
    count: int

    @classmethod
    def drawn(cls, noise: Noise, images: Tensor, count: int) -> "Blocks":
        """Return a grid of `count` by `count` blocks for every image."""
        height, width = images.shape[-2:]
        rows = Spans.drawn(noise.child("rows"), images, height, count)
        return cls(rows, Spans.drawn(noise.child("columns"), images, width, count), count)

    def template(self, images: Tensor) -> Tensor:
        """Return a tensor with one number per block of every image: (image, block row, block column)."""
        return images.new_zeros(len(images), self.count, self.count)

    def of_pixels(self, values: Tensor) -> Tensor:
        """Return for every pixel what its block has: (image, row, column)."""
        of_rows = values.gather(1, self.rows.number.unsqueeze(2).expand(-1, -1, self.count))
        return of_rows.gather(2, self.columns.number.unsqueeze(1).expand(-1, of_rows.shape[1], -1))

    def taken(self, images: Tensor, rows: Tensor | None = None, columns: Tensor | None = None) -> Tensor:
        """Return images whose pixels come from other rows and columns, by default from their own."""
        rows = self.rows.place.unsqueeze(2) if rows is None else rows
        columns = self.columns.place.unsqueeze(1) if columns is None else columns
        index = (rows * images.shape[3] + columns).flatten(1).unsqueeze(1).expand(-1, images.shape[1], -1)
        return images.flatten(2).gather(2, index).unflatten(2, images.shape[2:])


Mixing: TypeAlias = Callable[[int], Tensor]
"""From a length to the matrix that mixes so many pixels in a line."""


def block_by_block(images: Tensor, blocks: Blocks, mixing: Mixing) -> Tensor:
    """Return images whose blocks are mixed along rows and along columns by the matrices for their own size."""
    down, across = (_matrices(spans, mixing).unsqueeze(1).to(images) for spans in (blocks.rows, blocks.columns))
    return down @ images @ across.mT


def resizing(size: int) -> Tensor:
    """Return the matrix that resizes a line to `KEPT_SIZE` of its length, rounded down, plus one, and back."""
    line = torch.eye(size, dtype=torch.float64).unsqueeze(0)
    smaller = interpolate(line, size=int(size * KEPT_SIZE) + 1, mode="linear", align_corners=False)
    return interpolate(smaller, size=size, mode="linear", align_corners=False)[0].T


def smoothing(size: int) -> Tensor:
    """Return the matrix that leaves out the highest `LEFT_OUT`, rounded down, of a line's cosine frequencies."""
    place = torch.arange(size, dtype=torch.float64)
    kept = torch.arange(size - int(size * LEFT_OUT), dtype=torch.float64)
    waves = torch.cos(math.pi * (place + 0.5) * kept.unsqueeze(1) / size) * math.sqrt(2 / size)
    waves[0] /= math.sqrt(2)
    return waves.T @ waves


def _matrices(spans: Spans, mixing: Mixing) -> Tensor:
    """Return one matrix per image that mixes within the spans and not between them: (image, place, place)."""
    table = _table(mixing, spans.place.shape[1]).to(spans.place.device)
    within = spans.place.unsqueeze(1) - spans.first.unsqueeze(2)
    same = spans.number.unsqueeze(1) == spans.number.unsqueeze(2)
    entries = table[spans.size.unsqueeze(2), (spans.place - spans.first).unsqueeze(2), within.clamp(min=0)]
    return entries.where(same, 0)


@lru_cache
def _table(mixing: Mixing, longest: int) -> Tensor:
    """Return the matrices for all lengths up to the longest, each in the corner of a square of zeros."""
    table = torch.zeros(longest + 1, longest, longest, dtype=torch.float64)
    for size in range(1, longest + 1):
        table[size, :size, :size] = mixing(size)
    return table
