"""Randomness as a value: the same `Noise` always gives the same numbers."""

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import torch
from torch import Tensor

from purigeom.philox import philox

Path: TypeAlias = tuple[str | int, ...]

_WORD = 0xFFFFFFFF
_UNIT = 2.0**-32


@dataclass(frozen=True)
class Noise:
    """A named stream of random numbers, with one independent sub-stream per image.

    The numbers depend on the seed, the path and the image's id alone: not on the batch the image travels in,
    the device it lands on, or what was drawn before. Integers are bit-identical everywhere; normals agree to
    one unit in the last place of float32 across devices.

    Examples
    --------
    >>> image = torch.zeros(1, 2)
    >>> alone, together = Noise(seed=0, image_ids=(7,)), Noise(seed=0, image_ids=(3, 7))
    >>> torch.equal(alone.normal_like(image)[0], together.normal_like(image.repeat(2, 1))[1])
    True
    """

    seed: int
    image_ids: tuple[int, ...]
    path: Path = ()
    branches: tuple[Path, ...] = ()
    """Where streams were joined, what every image's path begins with; else nothing."""

    def child(self, *names: str | int) -> "Noise":
        """Return the independent stream found under `names`."""
        return replace(self, path=(*self.path, *names))

    def __getitem__(self, places: slice | Sequence[int]) -> "Noise":
        """Return the stream for a part of the batch, or for some of its images in any order."""
        rows = range(len(self.image_ids))[places] if isinstance(places, slice) else places
        branches = tuple(self.branches[row] for row in rows) if self.branches else ()
        return replace(self, image_ids=tuple(self.image_ids[row] for row in rows), branches=branches)

    def repeat(self, times: int) -> "Noise":
        """Return the stream for a batch that holds every image `times` times over, block after block."""
        return replace(self, image_ids=self.image_ids * times, branches=self.branches * times)

    def normal_like(self, images: Tensor) -> Tensor:
        """Draw a standard normal for every element of `images` (Box and Muller 1958)."""
        radial, angular = self._words(images).double().unflatten(1, (-1, 2)).unbind(-1)
        radius = torch.sqrt(-2 * torch.log((radial + 1) * _UNIT))
        angle = angular * (2 * math.pi * _UNIT)
        normal = torch.stack([radius * torch.cos(angle), radius * torch.sin(angle)], -1)
        return self._shaped(normal.float(), images)

    def uniform_like(self, images: Tensor) -> Tensor:
        """Draw uniformly from [-1, 1] for every element of `images`."""
        return self._shaped(((2 * self._words(images) + 1).double() * _UNIT - 1).float(), images)

    def sign_like(self, images: Tensor) -> Tensor:
        """Draw -1 or 1 for every element of `images`."""
        return self._shaped((self._words(images) >> 31) * 2 - 1, images)

    def words_like(self, images: Tensor) -> Tensor:
        """Draw a 32-bit integer for every element of `images`: what all other numbers are made of."""
        return self._shaped(self._words(images), images, torch.int64)

    def _words(self, images: Tensor) -> Tensor:
        """Return at least enough words for one image, as one row per *distinct* image of the stream."""
        branches, ids = zip(*dict.fromkeys(self._streams()), strict=True)
        keys = {branch: _key(self.seed, (*branch, *self.path)) for branch in dict.fromkeys(branches)}
        rows = torch.tensor([(*keys[branch], image_id) for branch, image_id in zip(branches, ids, strict=True)])
        first, second, domain, image = rows.to(images.device).t().unsqueeze(-1)
        block = torch.arange(-(-images[0].numel() // 4), device=images.device).expand(len(rows), -1)
        counter = (block, domain.expand_as(block), image & _WORD, (image >> 32) & _WORD)
        return torch.stack(philox(counter, (first, second)), -1).flatten(1)

    def _streams(self) -> Iterator[tuple[Path, int]]:
        """Yield what tells every image's stream from the others': how its path begins, and its id."""
        return zip(self.branches or ((),) * len(self.image_ids), self.image_ids, strict=True)

    def _shaped(self, rows: Tensor, images: Tensor, dtype: torch.dtype | None = None) -> Tensor:
        """Give every image of the batch its row, in the shape of `images` and, unless told, its type."""
        if len(images) != len(self.image_ids):
            msg = (
                f"Noise was made for {len(self.image_ids)} images; got a batch of {len(images)}. "
                "Use Noise.repeat when every image comes several times."
            )
            raise ValueError(msg)
        rows = rows.flatten(1)[:, : images[0].numel()]
        if len(rows) < len(images):
            position = {stream: row for row, stream in enumerate(dict.fromkeys(self._streams()))}
            rows = rows[[position[stream] for stream in self._streams()]]
        return rows.reshape(images.shape).to(dtype or images.dtype)


def joined(streams: Sequence[Noise]) -> Noise:
    """Return streams of one seed as one, for a batch that holds the images of each, one after another.

    Examples
    --------
    >>> one, other = Noise(seed=0, image_ids=(7,)).child("one"), Noise(seed=0, image_ids=(7, 3)).child("other")
    >>> images = torch.zeros(3, 2)
    >>> apart = torch.cat([one.child("x").normal_like(images[:1]), other.child("x").normal_like(images[1:])])
    >>> torch.equal(joined([one, other]).child("x").normal_like(images), apart)
    True
    """
    if len({stream.seed for stream in streams}) != 1:
        msg = f"Streams can be joined where they share a seed; got {[stream.seed for stream in streams]}."
        raise ValueError(msg)
    beginnings = [(*branch, *stream.path) for stream in streams for branch, _ in stream._streams()]
    ids = [image_id for stream in streams for image_id in stream.image_ids]
    return Noise(streams[0].seed, tuple(ids), branches=tuple(beginnings))


def _key(seed: int, path: Path) -> tuple[int, int, int]:
    """Hash seed and path to 96 bits; `repr` keeps the name "1" apart from the step 1."""
    names = [name if isinstance(name, str) else int(name) for name in path]
    digest = hashlib.blake2b(repr((int(seed), names)).encode(), digest_size=12).digest()
    first, second, third = (int.from_bytes(digest[start : start + 4], "little") for start in (0, 4, 8))
    return first, second, third
