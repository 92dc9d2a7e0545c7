"""Small things that behave, so that tests can look at what is around them."""

import os
import signal
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import torch
import xarray as xr
from torch import Tensor

from purigeom.images import batch_digest
from purigeom.noise import Noise
from purigeom.protocols import Batch, Declaration, ImageMap, RandomMap


@dataclass(frozen=True)
class ToyImages:
    """Random images whose ids start at `first`."""

    count: int = 6
    size: int = 2
    first: int = 100
    seed: int = 0

    def load(self) -> Batch:
        ids = tuple(range(self.first, self.first + self.count))
        generator = torch.Generator().manual_seed(self.seed)
        images = torch.rand(self.count, 1, self.size, self.size, generator=generator)
        return Batch(images, torch.arange(self.count) % 2, ids)

    def content(self) -> str:
        return batch_digest(self.load())


@dataclass(frozen=True)
class Scale:
    """Multiply by a factor and add a little pinned noise."""

    factor: float
    declaration: ClassVar[Declaration] = Declaration("toy", range="unbounded")

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> ImageMap:
        def purify(images: Tensor) -> Tensor:
            return self.factor * images + 0.01 * noise.normal_like(images)

        return purify


@dataclass(frozen=True)
class Shrink:
    """Purify as `Scale` does, with other code."""

    factor: float

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> ImageMap:
        return lambda images: self.factor * images


@dataclass(frozen=True)
class Coupled:
    """Break the law of independence: subtract the mean of the batch."""

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> ImageMap:
        return lambda images: images - images.mean()


@dataclass(frozen=True)
class Fraction:
    """Store the mean of the purified image, and make a file for every call."""

    version: ClassVar[int] = 1
    label: ClassVar[str] = "distances"
    diary: Path | None = field(default=None, repr=False)
    draws: int = 1

    def content(self) -> str:
        return str(self.draws)

    def __call__(self, purifier: RandomMap, batch: Batch, noise: Noise) -> xr.Dataset:
        if self.diary:
            (self.diary / uuid.uuid4().hex).write_text(f"{purifier!r} {batch.image_ids[0]}")
        answers = []
        for draw in range(self.draws):
            purified = purifier.pin(noise.child(draw), tuple(batch.images.shape[1:]))(batch.images)
            answers.append((purified - batch.images).flatten(1).norm(dim=1))
        facts = {"l2_distance": (("draw", "image"), torch.stack(answers).numpy())}
        return xr.Dataset(facts, coords={"draw": range(self.draws), "image": list(batch.image_ids)})


@dataclass(frozen=True)
class Suicide:
    """Kill the process that measures the third block, unless a file says that it died before."""

    version: ClassVar[int] = 1
    label: ClassVar[str] = "distances"
    grave: Path = field(repr=False)
    doomed: int

    def content(self) -> str:
        return str(self.doomed)

    def __call__(self, purifier: RandomMap, batch: Batch, noise: Noise) -> xr.Dataset:
        if batch.image_ids[0] == self.doomed and not self.grave.exists():
            self.grave.touch()
            time.sleep(0.5)
            os.kill(os.getpid(), signal.SIGKILL)
        return Fraction()(purifier, batch, noise)
