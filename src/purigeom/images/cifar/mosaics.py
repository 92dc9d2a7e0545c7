"""Lossless mosaics of a thousand images each, in zips: only those that are asked for are decoded."""

import io
import zipfile
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from purigeom.images.cifar.pixels import SIDE, Pixels, complete, decoded, fitting_labels
from purigeom.images.cifar.splits import Held
from purigeom.images.places import Stamp, stamped

ROWS, COLUMNS = 20, 50
"""Images of a mosaic, row by row."""
MOSAIC = ROWS * COLUMNS
_LOSSLESS = b"VP8L"
"""What follows the twelve bytes of a WebP file's head, unless the file is lossy or more than one picture."""


def from_mosaics(folder: Path, held: Held, places: range) -> Pixels | None:
    """Return the images at some places of a split, or nothing without its zips."""
    paths = [folder / name for name in held.zips]
    if not complete(paths, held.title):
        return None
    each = held.images // MOSAIC // len(paths)
    numbers = range(places.start // MOSAIC, -(-places.stop // MOSAIC))
    images = np.concatenate([_mosaic(stamped(paths[number // each]), number) for number in numbers])
    before = numbers.start * MOSAIC
    chosen = images[places.start - before : places.stop - before]
    return Pixels(chosen, _labels(stamped(paths[0]), held)[places.start : places.stop])


@lru_cache
def _labels(archive: Stamp, held: Held) -> NDArray[np.uint8]:
    where = f"{archive[0]}:labels.npz"
    with np.load(io.BytesIO(_member(archive[0], "labels.npz")), allow_pickle=False) as stored:
        if "y" not in stored:
            msg = f"{where} must hold an array `y`; it holds {sorted(stored)}."
            raise KeyError(msg)
        return fitting_labels(stored["y"], held.images, held.classes, where)


@lru_cache(maxsize=64)
def _mosaic(archive: Stamp, number: int) -> NDArray[np.uint8]:
    """Return the thousand images of a mosaic; 64 of them take 200 MB."""
    name = f"mosaic_{number:02d}.webp"
    content = _member(archive[0], name)
    if content[12:16] != _LOSSLESS:
        msg = f"{archive[0]}:{name} must be a lossless WebP picture; it is not. Images that were lossy once are others."
        raise ValueError(msg)
    pixels = decoded(content, (COLUMNS * SIDE, ROWS * SIDE), f"{archive[0]}:{name}")
    tiles = pixels.reshape(ROWS, SIDE, COLUMNS, SIDE, 3).transpose(0, 2, 4, 1, 3)
    return np.ascontiguousarray(tiles).reshape(MOSAIC, 3, SIDE, SIDE)


def _member(path: Path, name: str) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.read(name)
    except (zipfile.BadZipFile, EOFError) as error:
        msg = f"{path} must be a whole zip of mosaics; it is damaged or cut short ({error}). Fetch it again."
        raise ValueError(msg) from error
    except KeyError as error:
        msg = f"{path} must hold {name}; it does not. Fetch it again."
        raise ValueError(msg) from error
