"""Where CIFAR images come from: which source is asked first, and what is said when none has them."""

from pathlib import Path

import numpy as np

from purigeom.downloads import download
from purigeom.images.cifar.arrays import from_arrays
from purigeom.images.cifar.batches import from_batches
from purigeom.images.cifar.hub import from_hub
from purigeom.images.cifar.mosaics import from_mosaics
from purigeom.images.cifar.pixels import SIDE, Pixels
from purigeom.images.cifar.splits import Held
from purigeom.images.places import CACHE, VARIABLE, data_folders

IN_A_FOLDER = (from_mosaics, from_batches, from_arrays)
"""The order in which a folder is searched."""


def pixels(held: Held, folder: str | None, places: range) -> Pixels:
    """Return the images at some places of a split.

    A folder that is given is the only source. Else the data folders are searched, then the Hugging Face hub's
    local cache, and what is nowhere is downloaded into `data_cache`.
    """
    if not places:
        return Pixels(np.zeros((0, 3, SIDE, SIDE), np.uint8), np.zeros(0, np.uint8))
    folders = data_folders() if folder is None else (Path(folder).expanduser(),)
    found = _in_folders(folders, held, places)
    if found is None and folder is None:
        found = from_hub(held, places)
    if found is None and folder is None:
        found = _downloaded(folders, held, places)
    if found is None:
        raise FileNotFoundError(_absent(folders, held))
    return found


def _in_folders(folders: tuple[Path, ...], held: Held, places: range) -> Pixels | None:
    answers = (source(folder, held, places) for folder in folders for source in IN_A_FOLDER)
    return next((found for found in answers if found is not None), None)


def _downloaded(folders: tuple[Path, ...], held: Held, places: range) -> Pixels | None:
    try:
        for remote in held.remotes:
            if not (CACHE / remote.file).is_file():
                download(remote.url, CACHE / remote.file, remote.sha256)
    except ConnectionError as error:
        raise FileNotFoundError(_absent(folders, held, f"; {error}")) from error
    return _in_folders((CACHE,), held, places)


def _absent(folders: tuple[Path, ...], held: Held, failure: str = ".") -> str:
    cache = " or in the hub's local cache" if held.hub is not None and failure != "." else ""
    sources = [" with ".join(held.zips), " with ".join(held.arrays)]
    if held.official is not None:
        sources += [held.official.batches[0].partition("/")[0] + "/", held.official.archive]
    network = ", or run once where there is a network" if held.remotes else ""
    return (
        f"Images {held.title!r} were not found in {' or '.join(map(str, folders))}{cache}{failure} Put "
        f"{' or '.join(filter(None, sources))} into a folder named by {VARIABLE} or by folder=...{network}."
    )
