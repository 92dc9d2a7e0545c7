"""Handwritten digits, shipped with the package."""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import get_args

import numpy as np
import torch
from torch import Tensor

from purigeom.images.checks import Split
from purigeom.images.parts import part, set_digest
from purigeom.protocols import Batch

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
        start, stop = part(self.start, len(self), places)
        return replace(self, start=start, stop=stop)

    def __len__(self) -> int:
        return len(self._ids())

    def ids(self) -> tuple[int, ...]:
        """Return the places among all 1,797."""
        return tuple(self._ids().tolist())

    def load(self) -> Batch:
        """Return images, labels and ids; the id is the place among all 1,797."""
        images, labels = _digits()
        ids = self._ids()
        return Batch(images[ids], labels[ids], self.ids())

    def content(self) -> str:
        """Return the digest of images, labels and ids."""
        return set_digest(self)

    def _ids(self) -> Tensor:
        everything = torch.arange(len(_digits()[1]))
        held_out = everything % HELD_OUT_EVERY == HELD_OUT_EVERY - 1
        return everything[held_out if self.split == "test" else ~held_out][self.start : self.stop]


@lru_cache
def _digits() -> tuple[Tensor, Tensor]:
    with np.load(Path(__file__).parents[1] / "data" / "digits.npz", allow_pickle=False) as stored:
        images = torch.from_numpy(stored["images"]).float().div(16).unsqueeze(1)
        return images, torch.from_numpy(stored["labels"]).long()
