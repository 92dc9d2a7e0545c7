"""Numpy's own files: the form in which CIFAR-10.1 is published."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from purigeom.images.cifar.pixels import SIDE, Pixels, fitting
from purigeom.images.cifar.splits import Held
from purigeom.images.places import Stamp, stamped


def from_arrays(folder: Path, held: Held, places: range) -> Pixels | None:
    """Return the images at some places of a split, or nothing without its images."""
    if not held.arrays or not (folder / held.arrays[-1]).is_file():
        return None
    labels, images = (folder / name for name in held.arrays)
    if not labels.is_file():
        msg = f"{images} needs its labels beside it; there is no {labels}. Fetch it."
        raise FileNotFoundError(msg)
    return _read(stamped(labels), stamped(images), held).at(places)


@lru_cache(maxsize=2)
def _read(labels: Stamp, images: Stamp, held: Held) -> Pixels:
    pixels = _array(images[0])
    if pixels.shape[1:] != (SIDE, SIDE, 3):
        msg = f"{images[0]} must hold images of shape ({SIDE}, {SIDE}, 3); it holds an array of shape {pixels.shape}."
        raise ValueError(msg)
    pixels = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))
    return fitting(pixels, _array(labels[0]), held.images, held.classes, images[0])


def _array(path: Path) -> Any:
    try:
        return np.load(path, allow_pickle=False)
    except OSError:
        raise
    except Exception as error:  # whatever damage makes the reader of headers raise
        msg = f"{path} must be a whole npy file of numbers; it is not ({error}). Fetch it again."
        raise ValueError(msg) from error
