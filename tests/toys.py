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
from purigeom.sweep import Task


@dataclass(frozen=True)
class ToyImages:
    """Images made of noise, whose ids start at `first`."""

    count: int = 6
    first: int = 100
    seed: int = 0

    def load(self) -> Batch:
        ids = tuple(range(self.first, self.first + self.count))
        images = (1 + Noise(self.seed, ids).uniform_like(torch.empty(self.count, 1, 2, 2))) / 2
        return Batch(images, torch.arange(self.count) % 2, ids)

    def content(self) -> str:
        return batch_digest(self.load())


@dataclass(frozen=True)
class Scale:
    """Multiply by a factor and add a little pinned noise."""

    factor: float
    declaration: ClassVar[Declaration] = Declaration("toy", range="unbounded")

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> ImageMap:
        return lambda images: self.factor * images + 0.01 * noise.normal_like(images)


@dataclass(frozen=True)
class Coupled:
    """Break a law: subtract the mean of the whole batch."""

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> ImageMap:
        return lambda images: images - images.mean()


@dataclass(frozen=True)
class Opaque:
    """Keep something that no `repr` tells from another."""

    weights: Tensor

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> ImageMap:
        return lambda images: self.weights.mean() * images


@dataclass(frozen=True)
class Moved:
    """Ask how far a purifier moves images; leave a file in the diary for every time it is asked."""

    version: ClassVar[int] = 1
    label: ClassVar[str] = "distances"
    draws: int = 1
    diary: Path | None = field(default=None, repr=False)

    def content(self) -> str:
        return "the diary decides no answer"

    def __call__(self, purifier: RandomMap, batch: Batch, noise: Noise) -> xr.Dataset:
        if self.diary:
            (self.diary / uuid.uuid4().hex).write_text(f"{purifier!r} {batch.image_ids[0]}")
        shape = tuple(batch.images.shape[1:])
        purified = [purifier.pin(noise.child(draw), shape)(batch.images) for draw in range(self.draws)]
        lengths = torch.stack([(images - batch.images).flatten(1).norm(dim=1) for images in purified])
        facts = {"l2_distance": (("draw", "image"), lengths.numpy())}
        return xr.Dataset(facts, coords={"draw": range(self.draws), "image": list(batch.image_ids)})


@dataclass(frozen=True)
class Mortal:
    """Ask as `Moved` does, but once, at one image, kill the process that asks."""

    version: ClassVar[int] = 1
    label: ClassVar[str] = "distances"
    grave: Path
    image: int

    def __call__(self, purifier: RandomMap, batch: Batch, noise: Noise) -> xr.Dataset:
        if batch.image_ids[0] == self.image and not self.grave.exists():
            self.grave.touch()
            time.sleep(0.3)  # what was answered before reaches the driver
            os.kill(os.getpid(), signal.SIGKILL)
        return Moved()(purifier, batch, noise)


def toy_tasks(purifiers: int = 3, images: ToyImages | None = None, measurement: Moved | None = None) -> list[Task]:
    """Return one task per purifier, `scale 0`, `scale 1`..."""
    return [
        Task(f"scale {place}", Scale(place / 10), measurement or Moved(), ToyImages() if images is None else images)
        for place in range(purifiers)
    ]
