"""Randomness as a value: the same `Noise` always gives the same numbers."""

import hashlib
import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from purigeom.philox import philox

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
    path: tuple[str | int, ...] = ()

    def child(self, *names: str | int) -> "Noise":
        """Return the independent stream found under `names`."""
        return replace(self, path=(*self.path, *names))

    def __getitem__(self, places: slice) -> "Noise":
        """Return the stream for a part of the batch."""
        return replace(self, image_ids=self.image_ids[places])

    def repeat(self, times: int) -> "Noise":
        """Return the stream for a batch that holds every image `times` times over, block after block."""
        return replace(self, image_ids=self.image_ids * times)

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
        distinct = tuple(dict.fromkeys(self.image_ids))
        count = -(-images[0].numel() // 4)
        key_first, key_second, domain = self._key()
        ids = torch.tensor(distinct, dtype=torch.int64, device=images.device).unsqueeze(1)
        block = torch.arange(count, dtype=torch.int64, device=images.device).expand(len(distinct), -1)
        counter = (block, torch.full_like(block, domain), ids & _WORD, (ids >> 32) & _WORD)
        return torch.stack(philox(counter, (key_first, key_second)), -1).flatten(1)

    def _key(self) -> tuple[int, int, int]:
        """Hash seed and path to 96 bits; `repr` keeps the name "1" apart from the step 1."""
        path = [name if isinstance(name, str) else int(name) for name in self.path]
        digest = hashlib.blake2b(repr((int(self.seed), path)).encode(), digest_size=12).digest()
        first, second, third = (int.from_bytes(digest[start : start + 4], "little") for start in (0, 4, 8))
        return first, second, third

    def _shaped(self, rows: Tensor, images: Tensor, dtype: torch.dtype | None = None) -> Tensor:
        """Give every image of the batch its row, in the shape of `images` and, unless told, its type."""
        if len(images) != len(self.image_ids):
            msg = (
                f"Noise was made for {len(self.image_ids)} images; got a batch of {len(images)}. "
                "Use Noise.repeat when every image comes several times."
            )
            raise ValueError(msg)
        rows = rows.flatten(1)[:, : images[0].numel()]
        position = {image_id: row for row, image_id in enumerate(dict.fromkeys(self.image_ids))}
        if len(position) < len(images):
            rows = rows[[position[image_id] for image_id in self.image_ids]]
        return rows.reshape(images.shape).to(dtype or images.dtype)
