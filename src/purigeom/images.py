"""Named image sets, and the checks that images pass on their way in."""

import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import numpy as np
import torch
from torch import Tensor

from purigeom.protocols import Batch

Split: TypeAlias = Literal["train", "test"]
HELD_OUT_EVERY = 4
"""Of the digits, every fourth image is held out: its id leaves the remainder three."""


@dataclass(frozen=True)
class Digits:
    """Handwritten digits: scikit-learn's copy of 1,797 real 8x8 images, shipped inside the package.

    Alpaydin and Kaynak (1998), UCI machine learning repository. Slicing keeps the ids: `Digits()[:128]`
    holds the first 128 images of the split.
    """

    split: Split = "test"
    start: int = 0
    stop: int | None = None

    def __post_init__(self) -> None:
        if self.split not in get_args(Split):
            msg = f"Digits.split must be one of {get_args(Split)}; got {self.split!r}."
            raise ValueError(msg)

    def __getitem__(self, places: slice) -> "Digits":
        start, stop = _part(self.start, len(self), places)
        return replace(self, start=start, stop=stop)

    def __len__(self) -> int:
        return len(self._ids())

    def load(self) -> Batch:
        """Return images, labels and ids; the id is the place among all 1,797."""
        images, labels = _digits()
        ids = self._ids()
        return Batch(images[ids], labels[ids], tuple(ids.tolist()))

    def content(self) -> str:
        """Return the digest of images, labels and ids."""
        return batch_digest(self.load())

    def _ids(self) -> Tensor:
        everything = torch.arange(len(_digits()[1]))
        held_out = everything % HELD_OUT_EVERY == HELD_OUT_EVERY - 1
        return everything[held_out if self.split == "test" else ~held_out][self.start : self.stop]


@lru_cache
def _digits() -> tuple[Tensor, Tensor]:
    with np.load(Path(__file__).parent / "data" / "digits.npz", allow_pickle=False) as stored:
        images = torch.from_numpy(stored["images"]).float().div(16).unsqueeze(1)
        return images, torch.from_numpy(stored["labels"]).long()


@dataclass(frozen=True)
class ImageFile:
    """Images in an npz file: `images` (image, channel, row, column) in [0, 1] or uint8, `labels`, `ids` or none."""

    path: str
    start: int = 0
    stop: int | None = None

    def __getitem__(self, places: slice) -> "ImageFile":
        start, stop = _part(self.start, len(self), places)
        return replace(self, start=start, stop=stop)

    def __len__(self) -> int:
        return len(self.load())

    def load(self) -> Batch:
        """Return images, labels and ids; without stored ids, the place in the file."""
        with np.load(self.path, allow_pickle=False) as stored:
            if "images" not in stored:
                msg = f"{self.path} must hold an array `images`; it holds {sorted(stored)}."
                raise KeyError(msg)
            images = torch.from_numpy(stored["images"])
            images = images.float().div(255) if images.dtype == torch.uint8 else images
            labels = torch.from_numpy(stored["labels"]).long() if "labels" in stored else None
            ids = tuple(int(i) for i in stored["ids"]) if "ids" in stored else tuple(range(len(images)))
        return checked(Batch(images, labels, ids))[self.start : self.stop]

    def content(self) -> str:
        """Return the digest of images, labels and ids."""
        return batch_digest(self.load())


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


def _part(start: int, length: int, places: slice) -> tuple[int, int]:
    """Return where a part of a part of an image set begins and ends in the whole set."""
    first, last, step = places.indices(length)
    if step != 1:
        msg = f"Image sets can be sliced in steps of one; got a step of {step}."
        raise ValueError(msg)
    return start + first, start + max(first, last)


def checked(batch: Batch) -> Batch:
    """Return the batch; raise unless it holds finite float images in [0, 1], (image, channel, row, column)."""
    images, ids = batch.images, batch.image_ids
    if images.dim() != 4 or not images.is_floating_point():
        msg = (
            "Images must be floats of shape (image, channel, row, column); got "
            f"{str(images.dtype).removeprefix('torch.')} of shape {tuple(images.shape)}."
        )
        raise ValueError(msg)
    if len(ids) != len(images) or len(set(ids)) != len(ids):
        msg = f"Every image needs an id of its own; got {len(set(ids))} distinct ids for {len(images)} images."
        raise ValueError(msg)
    if not ids:
        msg = "There are no images to measure; the batch or slice is empty."
        raise ValueError(msg)
    if batch.labels is not None and len(batch.labels) != len(images):
        msg = f"Every image needs a label, or none has one; got {len(batch.labels)} for {len(images)} images."
        raise ValueError(msg)
    finite = images.isfinite().flatten(1).all(1)
    if not finite.all():
        msg = f"Images must be finite; image {ids[int((~finite).nonzero()[0])]} holds NaN or infinity."
        raise ValueError(msg)
    inside = ((images >= 0) & (images <= 1)).flatten(1).all(1)
    if not inside.all():
        first = int((~inside).nonzero()[0])
        low, high = images[first].min().item(), images[first].max().item()
        msg = f"Images must lie in [0, 1]; image {ids[first]} spans {low:.4g} to {high:.4g}. Rescale it, say by 1/255."
        raise ValueError(msg)
    return batch


def batch_digest(batch: Batch) -> str:
    """Return the sha256 of a batch's images, labels and ids."""
    total = hashlib.sha256(repr((tuple(batch.images.shape), batch.image_ids)).encode())
    total.update(batch.images.detach().cpu().double().contiguous().numpy().tobytes())
    if batch.labels is not None:
        total.update(batch.labels.detach().cpu().long().contiguous().numpy().tobytes())
    return total.hexdigest()
