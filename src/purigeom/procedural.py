"""A set of procedural colour images: smooth backgrounds, soft-edged shapes and a fine texture, drawn by id."""

import math
from dataclasses import dataclass, replace
from typing import get_args

import torch
from torch import Tensor

from purigeom.images import Split, part, set_digest
from purigeom.noise import Noise
from purigeom.protocols import Batch

SHAPES = 3
"""Every image holds so many shapes, one above the other."""
KINDS = ("disc", "rectangle", "bar")
"""What a shape can be; an image's label is the place of its top shape in this list."""
_SEED = 0


@dataclass(frozen=True)
class Procedural:
    """Colour images that are a pure function of their split, id and size.

    A background between two colours, three soft-edged discs, rectangles or bars of random colour, place, angle and
    opacity, and a fine grating over everything, rounded to 8 bits. No image is stored, and there are as many as the
    ids. Slicing keeps the ids: `Procedural()[8:16]` holds the images 8 to 15.

    Examples
    --------
    >>> Procedural(count=2).load().images.shape
    torch.Size([2, 3, 16, 16])
    """

    count: int = 64
    start: int = 0
    size: int = 16
    split: Split = "test"

    def __post_init__(self) -> None:
        if self.split not in get_args(Split):
            msg = f"Procedural.split must be one of {get_args(Split)}; got {self.split!r}."
            raise ValueError(msg)
        if self.count < 0 or self.start < 0 or self.size < 1:
            msg = (
                "Procedural needs count and start of at least 0 and a size of at least 1; got "
                f"count={self.count}, start={self.start}, size={self.size}. Choose others."
            )
            raise ValueError(msg)

    def __getitem__(self, places: slice) -> "Procedural":
        start, stop = part(self.start, len(self), places)
        return replace(self, start=start, count=stop - start)

    def __len__(self) -> int:
        return self.count

    def ids(self) -> tuple[int, ...]:
        """Return the places in the split, which has no end."""
        return tuple(range(self.start, self.start + self.count))

    def load(self) -> Batch:
        """Return images, the kinds of their top shapes and ids."""
        ids = self.ids()
        if not ids:
            return Batch(torch.zeros(0, 3, self.size, self.size), torch.zeros(0, dtype=torch.int64), ids)
        images, kinds = _drawn(Noise(_SEED, ids, ("procedural", self.split)), self.size)
        return Batch(images, kinds, ids)

    def content(self) -> str:
        """Return the digest of images, labels and ids."""
        return set_digest(self)


def _drawn(noise: Noise, size: int) -> tuple[Tensor, Tensor]:
    """Paint one image per id; the picture spans [-1, 1] in either direction."""
    axis = (torch.arange(size, dtype=torch.float64) + 0.5) * (2 / size) - 1
    down, across = axis.view(1, 1, size, 1), axis.view(1, 1, 1, size)
    picture = _background(noise.child("background"), down, across)
    kinds = torch.zeros(len(picture), dtype=torch.int64)
    for place in range(SHAPES):
        shape = noise.child("shape", place)
        kinds = shape.child("kind").words_like(kinds.unsqueeze(1)).flatten() % len(KINDS)
        cover = _cover(shape, kinds.view(-1, 1, 1, 1), down, across)
        picture = torch.lerp(picture, _colour(shape.child("colour")), cover)
    picture = picture + _texture(noise.child("texture"), down, across)
    return (picture.clamp(0, 1) * 255).round().div(255).float(), kinds


def _background(noise: Noise, down: Tensor, across: Tensor) -> Tensor:
    """Return a slow wave between two colours, in a slow light of its own."""
    (angle, speed, phase), (light_angle, light_speed, light_phase) = _draws(noise, 6).split(3)
    along, _ = _turned(down, across, angle)
    mix = 0.5 + 0.5 * torch.sin(2 * math.pi * phase + (0.3 + 2.2 * speed) * along)
    along, _ = _turned(down, across, light_angle)
    light = 0.1 * torch.cos(2 * math.pi * light_phase + (1 + 3 * light_speed) * along)
    return torch.lerp(_colour(noise.child("first")), _colour(noise.child("second")), mix) + light


def _cover(noise: Noise, kinds: Tensor, down: Tensor, across: Tensor) -> Tensor:
    """Return how much of each pixel a shape hides: its opacity inside, 0 outside, between them at the edge."""
    row, column, angle, length, width, soft, opacity = _draws(noise, 7)
    along, beside = _turned(down - 1.6 * (row - 0.5), across - 1.6 * (column - 0.5), angle)
    length, width = 0.25 + 0.5 * length, 0.2 + 0.4 * width
    disc = length - torch.hypot(along, beside)
    rectangle = torch.minimum(length - along.abs(), width - beside.abs())
    bar = 0.5 * width - beside.abs()
    depth = torch.where(kinds == 0, disc, torch.where(kinds == 1, rectangle, bar))
    return (0.6 + 0.4 * opacity) * torch.sigmoid(depth / (0.02 + 0.08 * soft))


def _texture(noise: Noise, down: Tensor, across: Tensor) -> Tensor:
    """Return a fine grating, faint in most images."""
    angle, speed, phase, strength = _draws(noise, 4)
    along, _ = _turned(down, across, angle)
    return 0.06 * strength**2 * torch.cos(2 * math.pi * phase + (6 + 8 * speed) * along)


def _colour(noise: Noise) -> Tensor:
    """Return a colour per image: any brightness, a moderate tint."""
    brightness, *tint = _draws(noise, 4)
    return (0.1 + 0.8 * brightness + 0.5 * (torch.cat(tint, 1) - 0.5)).clamp(0, 1)


def _turned(down: Tensor, across: Tensor, angle: Tensor) -> tuple[Tensor, Tensor]:
    """Return coordinates along and beside a direction; the angle is a part of a full turn."""
    turn = 2 * math.pi * angle
    return across * turn.cos() + down * turn.sin(), down * turn.cos() - across * turn.sin()


def _draws(noise: Noise, count: int) -> Tensor:
    """Draw numbers from [0, 1], as (number, image, channel, row, column): one number spans its image."""
    drawn = noise.uniform_like(torch.zeros(len(noise.image_ids), count, dtype=torch.float64))
    return (0.5 + 0.5 * drawn).t().reshape(count, -1, 1, 1, 1)
