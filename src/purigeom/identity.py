"""What a description is, down to its bytes: the part of a key that its `repr` cannot show."""

import dataclasses
import hashlib
import inspect
import json
from collections.abc import Iterator, Mapping
from typing import Any

_DIGEST_BYTES = 8
_PLAIN = (str, bytes, int, float, bool, type(None))


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
    if isinstance(thing, tuple | list | frozenset):
        for index, part in enumerate(thing):
            yield from _contents(f"{path}[{index}]", part)
        return
    if isinstance(thing, Mapping):
        for name, part in thing.items():
            yield from _contents(f"{path}[{name!r}]", part)
        return
    yield from _own_content(path, thing)
    if dataclasses.is_dataclass(thing) and not hasattr(thing, "content"):
        for field in dataclasses.fields(thing):
            if field.repr:
                yield from _contents(f"{path}.{field.name}", getattr(thing, field.name))


def _own_content(path: str, thing: object) -> Iterator[tuple[str, str]]:
    kind = type(thing)
    if hasattr(thing, "content"):
        yield path, thing.content()
    elif not dataclasses.is_dataclass(thing) and kind.__repr__ is object.__repr__:
        msg = f"{path} cannot be stored: nothing tells one {kind.__name__} from another. Give it `content()`."
        raise TypeError(msg)
    if hasattr(thing, "version"):
        yield f"{path} version", str(thing.version)
    if kind.__module__.split(".")[0] != "purigeom":
        yield f"{path} source", _source(path, kind)


def _source(path: str, kind: type) -> str:
    try:
        source = inspect.getsource(kind)
    except (OSError, TypeError) as error:
        msg = f"{path} cannot be stored: the source of {kind.__name__} cannot be read. Define it in a file."
        raise TypeError(msg) from error
    return hashlib.sha256(source.encode()).hexdigest()
