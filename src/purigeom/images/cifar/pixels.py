"""What every source returns: bytes of images and their labels, checked to be what the split holds."""

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 32
_LOSSLESS = ("PNG", "WEBP")
"""Formats that keep every pixel; of WebP, mosaics look for themselves."""


class Pixels(NamedTuple):
    """Images as bytes, (image, channel, row, column), and their labels."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]

    def at(self, places: range) -> "Pixels":
        """Return those at some places."""
        chosen = slice(places.start, places.stop)
        return Pixels(self.images[chosen], self.labels[chosen])


def fitting(images: Any, labels: Any, count: int, classes: int, where: object) -> Pixels:
    """Return images and labels; raise unless they are as many bytes and labels as they have to be."""
    images, labels = np.asarray(images), fitting_labels(labels, count, classes, where)
    shapes = ((count, 3, SIDE, SIDE), (count, 3 * SIDE * SIDE))
    if images.dtype != np.uint8 or images.shape not in shapes:
        msg = (
            f"{where} must hold uint8 images of shape {shapes[0]} or {shapes[1]}; it holds {images.dtype} of shape "
            f"{images.shape}. Fetch it again."
        )
        raise ValueError(msg)
    return Pixels(images.reshape(shapes[0]), labels)


def fitting_labels(labels: Any, count: int, classes: int, where: object) -> NDArray[np.uint8]:
    """Return labels; raise unless they are as many as they have to be, each one of the classes."""
    found = np.asarray(labels)
    if found.shape != (count,) or not np.issubdtype(found.dtype, np.integer):
        msg = (
            f"{where} must hold {count} labels, whole numbers; it holds {found.dtype} of shape {found.shape}. "
            "Fetch it again."
        )
        raise ValueError(msg)
    if found.min() < 0 or found.max() >= classes:
        msg = f"{where} must hold labels from 0 to {classes - 1}; they span {found.min()} to {found.max()}."
        raise ValueError(msg)
    return found.astype(np.uint8)


def decoded(content: bytes, size: tuple[int, int], where: object) -> NDArray[np.uint8]:
    """Return a picture's pixels, (row, column, channel); raise unless it has so many columns and rows."""
    try:
        with Image.open(io.BytesIO(content), formats=_LOSSLESS) as picture:
            pixels: NDArray[np.uint8] = np.asarray(picture.convert("RGB"))
    except OSError as error:
        kinds = " or ".join(_LOSSLESS)
        msg = f"{where} must be a whole picture, {kinds}; it cannot be decoded ({error}). Fetch it again."
        raise ValueError(msg) from error
    if pixels.shape != (size[1], size[0], 3):
        msg = f"{where} must be {size[0]} x {size[1]} pixels; it is {pixels.shape[1]} x {pixels.shape[0]}."
        raise ValueError(msg)
    return pixels


def complete(paths: Iterable[Path], title: str) -> bool:
    """Return whether all files are there, not one of them; raise where only some are."""
    paths = tuple(paths)
    missing = [path for path in paths if not path.is_file()]
    if missing and len(missing) < len(paths):
        msg = (
            f"Images {title!r} need {' and '.join(map(str, paths))}; there is no {' and no '.join(map(str, missing))}."
        )
        raise FileNotFoundError(msg)
    return not missing and bool(paths)
