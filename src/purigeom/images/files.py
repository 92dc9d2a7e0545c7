"""Image sets of a user's own: a file of arrays, and tensors in memory."""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import torch

from purigeom.images.checks import batch_digest, checked
from purigeom.images.parts import part
from purigeom.images.places import Stamp, stamped
from purigeom.npz import arrays_in
from purigeom.protocols import Batch


@dataclass(frozen=True)
class ImageFile:
    """Images in an npz file: `images` (image, channel, row, column) in [0, 1] or uint8, `labels`, `ids` or none."""

    path: str
    start: int = 0
    stop: int | None = None

    def __getitem__(self, places: slice) -> "ImageFile":
        start, stop = part(self.start, len(self), places)
        return replace(self, start=start, stop=stop)

    def __len__(self) -> int:
        return len(self.ids())

    def ids(self) -> tuple[int, ...]:
        """Return those that are stored; without any, the places in the file."""
        return self._batch().image_ids

    def load(self) -> Batch:
        """Return images, labels and ids; the caller's own, since the file is kept."""
        batch = self._batch()
        return replace(batch, images=batch.images.clone())

    def _batch(self) -> Batch:
        return _read(stamped(Path(self.path)))[self.start : self.stop]

    def content(self) -> str:
        """Return the digest of images, labels and ids."""
        return batch_digest(self.load())


@lru_cache(maxsize=1)
def _read(file: Stamp) -> Batch:
    """Return everything that a file holds."""
    stored = arrays_in(file[0])
    if "images" not in stored:
        msg = f"{file[0]} must hold an array `images`; it holds {sorted(stored)}."
        raise KeyError(msg)
    try:
        images = torch.from_numpy(stored["images"])
        images = images.float().div(255) if images.dtype == torch.uint8 else images
        labels = torch.from_numpy(stored["labels"]).long() if "labels" in stored else None
        ids = tuple(int(i) for i in stored["ids"]) if "ids" in stored else tuple(range(len(images)))
        return checked(Batch(images, labels, ids))
    except (ValueError, TypeError, OverflowError) as error:
        msg = f"{file[0]} holds no images that can be measured: {error}"
        raise ValueError(msg) from error


@dataclass(frozen=True)
class InMemory:
    """Images that are already tensors; stored results are keyed by the digest of their bytes."""

    batch: Batch

    def __repr__(self) -> str:
        return f"InMemory({len(self.batch)} images)"

    def load(self) -> Batch:
        """Return the batch."""
        return checked(self.batch)

    def content(self) -> str:
        """Return the digest of images, labels and ids."""
        return batch_digest(self.batch)
