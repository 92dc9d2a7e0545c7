"""What a description is, down to its bytes: the part of a key that its `repr` cannot show."""

import dataclasses
import hashlib
import inspect
import json
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import PurePath
from typing import Any

_DIGEST_BYTES = 8
_PLAIN = (str, bytes, int, float, bool, type(None))
_NAMES = (Enum, PurePath, range, slice)
"""Types whose `repr` says everything, as that of a dataclass does."""
_KNOWN = ("purigeom", "builtins", "abc", "typing", "enum", "pathlib")
"""Packages whose classes are known by their name and version, not by their source."""


def recipe(description: object) -> dict[str, Any]:
    """Return a description's `repr` and the digests of everything its `repr` only names.

    Raises
    ------
    TypeError
        Where two different things could get the same recipe: such things can be measured, not stored.
    """
    text = repr(description)
    if " at 0x" in text:
        msg = (
            f"{type(description).__name__} cannot be stored: its repr {text!r} holds a memory address, which "
            "says nothing about it. Make it a frozen dataclass, or wrap it with purigeom.wrap(object, name=...)."
        )
        raise TypeError(msg)
    return {"description": text, "content": dict(_contents(type(description).__name__, description))}


def digest(recipes: Any) -> str:
    """Return a short name for recipes that changes whenever any part of them does."""
    text = json.dumps(recipes, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=_DIGEST_BYTES).hexdigest()


def fields(description: object) -> dict[str, str | int | float | bool]:
    """Return the plain fields of a description, for tables and coordinates."""
    if not dataclasses.is_dataclass(description):
        return {}
    named = {field.name: getattr(description, field.name) for field in dataclasses.fields(description)}
    return {name: value for name, value in named.items() if isinstance(value, str | int | float)}


def _contents(path: str, thing: object) -> Iterator[tuple[str, str]]:
    """Yield the digest, version and source of a thing and of what it is made of, by its place in it."""
    if isinstance(thing, _PLAIN):
        return
    if isinstance(thing, tuple | list):
        for index, part in enumerate(thing):
            yield from _contents(f"{path}[{index}]", part)
    elif isinstance(thing, Mapping):
        for name, part in thing.items():
            yield from _contents(f"{path}[{name!r}]", part)
    else:
        yield from _own_content(path, thing)
        if not hasattr(thing, "content"):
            yield from _parts(path, thing)


def _own_content(path: str, thing: object) -> Iterator[tuple[str, str]]:
    kind = type(thing)
    if hasattr(thing, "content"):
        yield path, thing.content()
    elif not dataclasses.is_dataclass(thing) and not isinstance(thing, _NAMES):
        msg = (
            f"{path} cannot be stored: two {kind.__name__} that differ may look alike. Make it a frozen dataclass, "
            "give it `content()`, or wrap it with purigeom.wrap(object, name=...)."
        )
        raise TypeError(msg)
    if hasattr(thing, "version"):
        yield f"{path} version", str(thing.version)
    for base in kind.__mro__:
        if base.__module__.split(".")[0] not in _KNOWN:
            yield f"{path} source of {base.__name__}", _source(path, base)


def _parts(path: str, thing: object) -> Iterator[tuple[str, str]]:
    """Yield the contents of a dataclass's fields, and the values of those that its `repr` does not show."""
    shown = repr(thing)
    for field in dataclasses.fields(thing) if dataclasses.is_dataclass(thing) else ():
        part, place = getattr(thing, field.name), f"{path}.{field.name}"
        if f"{field.name}={part!r}" not in shown and not hasattr(part, "content"):
            yield place, repr(part)
        yield from _contents(place, part)


def _source(path: str, kind: type) -> str:
    try:
        source = inspect.getsource(kind)
    except (OSError, TypeError) as error:
        msg = f"{path} cannot be stored: the source of {kind.__name__} cannot be read. Define it in a file."
        raise TypeError(msg) from error
    return hashlib.sha256(source.encode()).hexdigest()
