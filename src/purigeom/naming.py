"""From the words of a command line to descriptions: catalogue names, `path.py:OBJECT`, files of images."""

import importlib
import importlib.util
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from purigeom.images import ImageFile, ImageFolder
from purigeom.networks.file_classifier import described
from purigeom.networks.robustbench import RobustBench
from purigeom.networks.tensors import SUFFIXES
from purigeom.protocols import Classifier, ImageSet, RandomMap
from purigeom.purifiers.wrapped import as_purifier
from purigeom.store.places import place

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


def purifier_named(word: str, catalogue: Mapping[str, RandomMap]) -> RandomMap:
    """Return the purifier of `NAME` or `path.py:OBJECT`; a module or function is wrapped."""
    found = named(word, catalogue, "purifier")
    if not isinstance(found, RandomMap) and not callable(found):
        msg = (
            f"{word} must have `pin(noise, image_shape)`, or be a function or module of images; got {found!r}. "
            "docs/how-to/add-a-purifier.md has an example to copy."
        )
        raise TypeError(msg)
    return as_purifier(found)


def classifier_named(word: str, catalogue: Mapping[str, Classifier]) -> Classifier:
    """Return the classifier of `NAME`, `path.py:OBJECT`, `FILE`, `FILE:ARCHITECTURE` or `robustbench:ID`.

    Examples
    --------
    >>> classifier_named("robustbench:Standard", {})
    RobustBench(id='Standard', threat='Linf', dataset='cifar10')
    """
    before, _, after = word.rpartition(":")
    if word in catalogue:
        return catalogue[word]
    if before == "robustbench":
        return RobustBench(after)
    if Path(word).suffix in SUFFIXES:
        return described(word)
    if Path(before).suffix in SUFFIXES:
        return described(before, after)
    return named(word, catalogue, "classifier")


def images_named(word: str, catalogue: Mapping[str, ImageSet]) -> ImageSet:
    """Return the image set of `NAME`, `file.npz`, a folder or a zip of pictures; of its first ones, as `...:COUNT`."""
    name, _, count = word.rpartition(":") if word.rpartition(":")[2].isdigit() else (word, "", "")
    whole: Any
    if name.endswith(".npz"):
        whole = ImageFile(name)
    elif name not in catalogue and (name.endswith(".zip") or Path(name).is_dir()):
        whole = ImageFolder(name)
    else:
        whole = named(name, catalogue, "image set")
    images: ImageSet = whole[: int(count)] if count else whole
    return images


def folder_named(word: str) -> Path:
    """Return a folder of this machine, where other files than a store's may lie; raise where it is behind a URL."""
    folder = place(word)
    if isinstance(folder, Path):
        return folder
    msg = f"Files other than a store's are written here: --out must be a folder of this machine; got {word!r}."
    raise ValueError(msg)


def varied(name: str, purifier: RandomMap, words: str) -> dict[str, RandomMap]:
    """Return a purifier at each value of a whole-numbered field, `FIELD=FIRST:LAST:COUNT`, by name.

    Examples
    --------
    >>> from purigeom.purifiers.bit_depth import BitDepth
    >>> list(varied("bits", BitDepth(), "bits=1:5:3"))
    ['bits bits=1', 'bits bits=3', 'bits bits=5']
    """
    found = re.fullmatch(r"(\w+)=(\d+):(\d+):(\d+)", words)
    if not found or int(found[4]) < 1:
        msg = f"--vary needs FIELD=FIRST:LAST:COUNT, such as depth=10:220:5; got {words!r}."
        raise ValueError(msg)
    field, (first, last, count) = found[1], (int(number) for number in found.groups()[1:])
    if not is_dataclass(purifier) or field not in {one.name for one in fields(purifier)}:
        msg = f"--vary needs a field of {purifier!r}; got {field!r}."
        raise ValueError(msg)
    values = [round(first + (last - first) * place / max(1, count - 1)) for place in range(count)]
    return {f"{name} {field}={value}": replace(purifier, **{field: value}) for value in values}


def adjusted(option: str, words: Sequence[str], description: Any) -> Any:
    """Return a description of numbers with several of them, given as `FIELD=NUMBER`, replaced.

    Examples
    --------
    >>> from purigeom.geometry.spectrum.adaptive import Tolerance
    >>> adjusted("--tolerance", ["count=4", "leading=1e-4"], Tolerance()).leading
    0.0001
    """
    known = {one.name: type(getattr(description, one.name)) for one in fields(description)}
    found: dict[str, Any] = {}
    for word in words:
        field, _, number = word.partition("=")
        try:
            found[field] = known[field](number)
        except (KeyError, ValueError) as error:
            kinds = ", ".join(f"{name}={'WHOLE' if kind is int else 'NUMBER'}" for name, kind in known.items())
            msg = f"{option} needs one of {kinds}; got {word!r}."
            raise ValueError(msg) from error
    return replace(description, **found)


def _object(path: Path, name: str) -> Any:
    """Import a file as a module that worker processes and `inspect` find again; return its object, of a class one."""
    module = _module(path)
    if not hasattr(module, name):
        public = sorted(word for word in vars(module) if not word.startswith("_"))
        msg = f"{path} has no {name!r}; it has {public}."
        raise AttributeError(msg)
    found = getattr(module, name)
    if not isinstance(found, type):
        return found
    try:
        return found()
    except TypeError as error:
        msg = f"{path}:{name} is a class that needs arguments: {error}. Write `mine = {name}(...)`, name {path}:mine."
        raise ValueError(msg) from error


def _module(path: Path) -> ModuleType:
    if not path.is_file():
        msg = f"There is no file {path}."
        raise FileNotFoundError(msg)
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.append(folder)  # the last place to look: a user's file hides no installed module
    found = None if "." in path.stem else importlib.util.find_spec(path.stem)
    if found is None or found.origin is None or Path(found.origin).resolve() != path.resolve():
        msg = f"{path} cannot be imported: {path.stem!r} is the name of another module, or none. Rename the file."
        raise ValueError(msg)
    try:
        return importlib.import_module(path.stem)
    except (Exception, SystemExit) as error:  # whatever a user's file does when it runs
        msg = f"{path} cannot be imported: {type(error).__name__}: {error}. Mend the file, and try `python {path}`."
        raise ValueError(msg) from error
