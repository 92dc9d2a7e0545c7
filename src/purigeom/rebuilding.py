"""From a recipe in a store back to the description that wrote it: read as data, and nothing in it is executed."""

import ast
import inspect
import math
import os
import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from purigeom.identity import recipe
from purigeom.images.places import data_folders
from purigeom.networks.files import escapes, named_roots, offline

_ROOMS = ("purifiers", "measurements", "attacks", "defence", "geometry", "images", "networks", "procedural")
"""The modules whose descriptions stores hold."""
_NUMBERS = {"inf": math.inf, "nan": math.nan}


def rebuilt(stored: Mapping[str, Any]) -> Any:
    """Return the description that has a stored recipe.

    Only purigeom's own descriptions are built, from literals and each other. What was built must have the very recipe
    that is stored: the same settings, versions and weights. It may name files in the working folder, in the data
    folders and where checkpoints have names, and no others; nothing is fetched from the hub.

    Raises
    ------
    ValueError
        Where the recipe names anything else, or weights and versions are no longer what they were.

    Examples
    --------
    >>> from purigeom.purifiers.jpeg import JPEG
    >>> rebuilt(recipe(JPEG(30))) == JPEG(30)
    True
    """
    text = str(stored["description"])
    try:
        with offline():
            found = _built(_call(text))
            now = recipe(found)
    except Exception as error:  # whatever descriptions raise at settings that they were never given
        msg = f"{text} cannot be built from its recipe: {error}. Give the object itself, from Python, as `known`."
        raise ValueError(msg) from error
    if now != stored:
        msg = f"{text} is no longer what was stored: it was {dict(stored)}, now it is {now}. Restore its weights."
        raise ValueError(msg)
    return found


def _call(text: str) -> ast.expr:
    body = ast.parse(text, mode="eval").body
    if not isinstance(body, ast.Call):
        msg = "it is no description"
        raise TypeError(msg)
    return body


def _built(node: ast.expr) -> Any:
    """Return what an expression of literals and of purigeom's descriptions says."""
    if isinstance(node, ast.Tuple | ast.List):
        parts = [_built(part) for part in node.elts]
        return tuple(parts) if isinstance(node, ast.Tuple) else parts
    if isinstance(node, ast.Name) and node.id in _NUMBERS:
        return _NUMBERS[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Name):
        return -_NUMBERS[node.operand.id]
    if not isinstance(node, ast.Call):
        return _literal(node)
    if not isinstance(node.func, ast.Name) or node.func.id not in _descriptions():
        msg = f"{ast.unparse(node.func)!r} is no description of purigeom's own"
        raise TypeError(msg)
    named = {str(part.arg): _built(part.value) for part in node.keywords}
    return _descriptions()[node.func.id](*map(_built, node.args), **named)


def _literal(node: ast.expr) -> Any:
    """Return what a literal says; raise where it is a path out of the folders that a store may name."""
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and escapes(part.value):
            inside = (Path(os.path.normpath(part.value)).is_relative_to(root.absolute()) for root in _folders())
            if "\0" in part.value or not Path(part.value).is_absolute() or not any(inside):
                msg = f"a store may not name {part.value!r}, outside of the working, data and models folders"
                raise ValueError(msg)
    return ast.literal_eval(node)


def _folders() -> tuple[Path, ...]:
    return (Path.cwd(), *data_folders(), *named_roots())


@cache
def _descriptions() -> Mapping[str, type]:
    """Return purigeom's frozen descriptions by name; one that two share stands for neither."""
    found: dict[str, set[type]] = {}
    for room in map(import_module, (f"purigeom.{name}" for name in _ROOMS)):
        inside = pkgutil.walk_packages(getattr(room, "__path__", ()), f"{room.__name__}.")
        for module in (room, *(import_module(one.name) for one in inside)):
            for name, kind in inspect.getmembers(module, _is_description):
                found.setdefault(name, set()).add(kind)
    return {name: kinds.pop() for name, kinds in found.items() if len(kinds) == 1}


def _is_description(thing: object) -> bool:
    own = inspect.isclass(thing) and thing.__module__.startswith("purigeom.")
    return own and getattr(getattr(thing, "__dataclass_params__", None), "frozen", False)
