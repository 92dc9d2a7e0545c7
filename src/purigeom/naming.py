"""From the words of a command line to descriptions: catalogue names, `path.py:OBJECT`, files of images."""

import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from purigeom.images import ImageFile
from purigeom.protocols import ImageSet

Description = TypeVar("Description")


def named(word: str, catalogue: Mapping[str, Description], what: str) -> Description:
    """Return the catalogue's entry, or the object in a Python file."""
    if word in catalogue:
        return catalogue[word]
    path, _, name = word.rpartition(":")
    if path.endswith(".py") and name:
        found: Description = _object(Path(path), name)
        return found
    msg = f"{word!r} is no {what}: choose one of {sorted(catalogue)}, or name an object of a file as path.py:OBJECT."
    raise ValueError(msg)


def images_named(word: str, catalogue: Mapping[str, ImageSet]) -> ImageSet:
    """Return the image set of `NAME`, `NAME:COUNT`, `file.npz` or `file.npz:COUNT`."""
    name, _, count = word.rpartition(":") if word.rpartition(":")[2].isdigit() else (word, "", "")
    whole: Any = ImageFile(name) if name.endswith(".npz") else named(name, catalogue, "image set")
    images: ImageSet = whole[: int(count)] if count else whole
    return images


def _object(path: Path, name: str) -> Any:
    """Import a file as a module that worker processes and `inspect` find again, and return its object."""
    if not path.is_file():
        msg = f"There is no file {path} to take {name!r} from."
        raise FileNotFoundError(msg)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        msg = f"{path} is no Python file."
        raise ValueError(msg)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    if not hasattr(module, name):
        public = sorted(word for word in vars(module) if not word.startswith("_"))
        msg = f"{path} has no {name!r}; it has {public}."
        raise AttributeError(msg)
    return getattr(module, name)
