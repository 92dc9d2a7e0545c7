"""Where data lie that the package does not ship: in the folder that PURIGEOM_DATA names, or in `data_cache`."""

import os
from pathlib import Path
from typing import TypeAlias

VARIABLE = "PURIGEOM_DATA"
CACHE = Path("data_cache")
"""Where downloads go, seen from the working directory."""
Stamp: TypeAlias = tuple[Path, int, int]


def data_folders() -> tuple[Path, ...]:
    """Return where data are looked for: the folder that PURIGEOM_DATA names, if it is set, then `data_cache`."""
    given = os.environ.get(VARIABLE)
    if not given:
        return (CACHE,)
    folder = Path(given).expanduser()
    if not folder.is_dir():
        msg = f"{VARIABLE} must name a folder of data; {given!r} is none. Correct the path, or unset it."
        raise NotADirectoryError(msg)
    return folder, CACHE


def located(path: str) -> Path:
    """Return where a path leads; one that begins with `$PURIGEOM_DATA/` is looked for in every data folder."""
    start = f"${VARIABLE}/"
    if not path.startswith(start):
        return Path(path).expanduser()
    places = [folder / path.removeprefix(start) for folder in data_folders()]
    found = [place for place in places if place.exists()]
    if not found:
        nowhere = " and no ".join(map(str, places))
        msg = f"{path} was not found: there is no {nowhere}. Set {VARIABLE} to the folder that holds it."
        raise FileNotFoundError(msg)
    return found[0]


def stamped(path: Path) -> Stamp:
    """Return what changes when a file does: what was read of it is kept under that name."""
    found = path.stat()
    return path, found.st_mtime_ns, found.st_size
