"""Pictures in a folder or a zip: their names, their labels, their pixels."""

import io
import re
import struct
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from PIL import Image
from torch import Tensor

SUFFIXES = {".bmp", ".jpeg", ".jpg", ".png", ".webp"}
FILE_BYTES, PIXELS = 1 << 28, 1 << 26
"""What a picture may take as a file, and as pixels before it is cropped."""
_FORMATS = ("BMP", "JPEG", "PNG", "WEBP")
"""What a picture may be, whatever its name says: of others, Pillow hands some to another program."""
_EIGHT_BITS = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"}
"""Kinds of pictures that become RGB without being cut off at 255."""


def listed(root: Path) -> tuple[list[str], list[str]]:
    """Return the sorted names of the pictures and of the folders that they are in, which are none for a flat set."""
    entries = [entry for entry in _entries(root) if not re.search(r"(^|/)(\.|__MACOSX)", entry)]
    names = sorted(entry for entry in entries if PurePosixPath(entry).suffix.lower() in SUFFIXES and entry[-1] != "/")
    depths = sorted({name.count("/") for name in names})
    if depths not in ([0], [1]):
        msg = (
            f"{root} must hold pictures ({', '.join(sorted(SUFFIXES))}) side by side, or in one folder per class; it "
            f"holds {len(names)} pictures, inside so many folders: {depths}."
        )
        raise ValueError(msg)
    return names, sorted({entry.partition("/")[0] for entry in entries if "/" in entry}) if depths == [1] else []


def _entries(root: Path) -> list[str]:
    """Return the names of everything inside, those of folders with a slash at the end."""
    if root.is_dir():
        paths = ((path, path.relative_to(root).as_posix()) for path in root.rglob("*"))
        return [f"{name}/" if path.is_dir() else name for path, name in paths]
    with _zip(root) as archive:
        return archive.namelist()


def read(root: Path, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the bytes of every picture that is asked for."""
    if root.is_dir():
        yield from ((name, (root / name).read_bytes()) for name in names)
        return
    with _zip(root) as archive:
        yield from ((name, _member(archive, root, name)) for name in names)


def _member(archive: zipfile.ZipFile, root: Path, name: str) -> bytes:
    """Return a member's bytes; nothing is ever written to where its name leads."""
    if archive.getinfo(name).file_size > FILE_BYTES:
        msg = f"{root}/{name} must be a picture; it would become {archive.getinfo(name).file_size} bytes."
        raise ValueError(msg)
    try:
        return archive.read(name)
    except Exception as error:  # whatever damage makes the reader of zips raise
        msg = f"{root}/{name} must be a whole picture; it cannot be read ({type(error).__name__}: {error})."
        raise ValueError(msg) from error


def _zip(root: Path) -> zipfile.ZipFile:
    if not root.is_file():
        msg = f"There is no folder and no zip {root}."
        raise FileNotFoundError(msg)
    try:
        return zipfile.ZipFile(root)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error) as error:
        msg = f"{root} must be a folder or a whole zip of pictures; it is neither ({error})."
        raise ValueError(msg) from error


def image(content: bytes, size: int, resize: int, where: str) -> Tensor:
    """Return a picture as RGB in [0, 1]: its shorter side resized, its centre kept."""
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
            _refuse_other(picture, resize, where)
            pixels = _centre(picture.convert("RGB"), size, resize)
    except Exception as error:  # whatever damage makes the decoders raise
        if isinstance(error, ValueError) and where in str(error):
            raise
        msg = f"{where} must be a whole picture; it cannot be decoded ({error})."
        raise ValueError(msg) from error
    return torch.from_numpy(np.array(pixels)).permute(2, 0, 1).float().div(255)


def _refuse_other(picture: Image.Image, resize: int, where: str) -> None:
    """Raise where a picture is not of 8 bits, or takes more memory than any real one, as it is or resized."""
    if picture.mode not in _EIGHT_BITS:
        msg = f"{where} must be a picture of 8 bits; its mode is {picture.mode}. Convert it."
        raise ValueError(msg)
    shorter, longer = sorted(picture.size)
    if not shorter or max(shorter * longer, resize * (resize * longer // shorter)) > PIXELS:
        msg = f"{where} must have at most {PIXELS} pixels, before and after resizing; it is {picture.size}. Crop it."
        raise ValueError(msg)


def _centre(picture: Image.Image, size: int, resize: int) -> Image.Image:
    shorter = min(picture.size)
    width, height = (side * resize // shorter for side in picture.size)
    if shorter != resize:
        picture = picture.resize((width, height), Image.Resampling.BICUBIC)
    left, top = round((width - size) / 2), round((height - size) / 2)
    return picture.crop((left, top, left + size, top + size))


def labels_by_folder(names: Sequence[str], folders: Sequence[str]) -> Tensor | None:
    """Return the place of every picture's folder among the folders, or no labels without folders."""
    if not folders:
        return None
    places = {folder: place for place, folder in enumerate(folders)}
    return torch.tensor([places[name.partition("/")[0]] for name in names], dtype=torch.int64)


def labels_by_name(names: Sequence[str]) -> Tensor:
    """Return the whole number with which every picture's name begins."""
    numbers = [re.match(r"\d+", PurePosixPath(name).name) for name in names]
    unlabelled = [name for name, number in zip(names, numbers, strict=True) if number is None]
    if unlabelled:
        msg = f"A picture's name must begin with its label, a whole number; got {unlabelled[0]!r}."
        raise ValueError(msg)
    return torch.tensor([int(number[0]) for number in numbers if number is not None], dtype=torch.int64)
