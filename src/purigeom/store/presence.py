"""What is there of a segment: its plan, and the units that are sealed."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from purigeom.schema import SCHEMA_VERSION
from purigeom.store.arrays import FILE
from purigeom.store.limits import damaged
from purigeom.store.places import Place, files, folders, read
from purigeom.store.plan import Plan, folder_name, from_json

SEAL = "made_by"
"""The array whose chunk (row, block) is written last: a unit counts only once it is there."""
PLANNED = ("image", "purifier", SEAL)
"""The arrays that every segment has, and that follow from its plan."""


def segments(root: Place) -> list[Place]:
    """Return the folders of a store that are segments, or would have become some, in the order of their names."""
    return [_own(root / name) for name in folders(root) if name.endswith(".zarr") and not name.startswith(".")]


def answered(segment: Place) -> list[str]:
    """Return the names of a segment's arrays but those that follow from its plan."""
    names = [name for name in folders(segment) if not name.startswith(".") and _own(segment / name)]
    return [name for name in names if name not in PLANNED]


@contextmanager
def sentences(root: Place | str) -> Iterator[None]:
    """Raise nothing but ValueErrors and OSErrors that name the store, whatever a stranger wrote into it."""
    try:
        yield
    except (ModuleNotFoundError, OSError):
        raise
    except Exception as error:
        if isinstance(error, ValueError) and str(root) in str(error):
            raise
        told = str(error) or "it says no more"
        msg = f"{root} cannot be read as a store ({type(error).__name__}: {told}). `purigeom check` looks closer."
        raise ValueError(msg) from error


def _own(folder: Place) -> Place:
    """Return a folder of a store; raise where it is a link that may lead out of the store."""
    if isinstance(folder, Path) and folder.is_symlink():
        msg = f"{folder} is a link: what a store holds lies in it. Copy there what it leads to, or delete it."
        raise ValueError(msg)
    return folder


def read_plan(segment: Place) -> Plan:
    """Return a segment's plan; raise where it is damaged, not there or of another schema."""
    plan = plan_of(segment)
    if plan is None:
        msg = f"{segment} is no segment of a purigeom store: it has no {FILE}. Run again, or restore it."
        raise ValueError(msg)
    return plan


def plan_of(segment: Place) -> Plan | None:
    """Return a segment's plan, or nothing where its driver was stopped before it was there."""
    header = read(segment / FILE)
    if header is not None:
        return _plan(segment, header)
    if any(name.startswith("c.") for name in files(segment / SEAL)):
        msg = f"{segment} is damaged: its header {FILE} is missing. Restore it, or delete the folder."
        raise ValueError(msg)
    return None


@lru_cache
def _plan(segment: Place, header: bytes) -> Plan:
    try:
        group = json.loads(header)
        attributes = group["attributes"]["purigeom"]
        named = folder_name(attributes["label"], attributes) == segment.name
        if not named or (group["zarr_format"], group["node_type"]) != (3, "group"):
            msg = f"{segment} is damaged: its header does not match its name. Restore it or delete the folder."
            raise ValueError(msg)
        _refuse_other_schema(segment, attributes["schema"])
        return from_json(attributes)
    except (KeyError, TypeError, AttributeError, RecursionError, json.JSONDecodeError, UnicodeDecodeError) as error:
        msg = f"{segment} is no readable segment of a purigeom store ({type(error).__name__}: {error})."
        raise ValueError(msg) from error


def _refuse_other_schema(segment: Place, schema: int) -> None:
    if schema != SCHEMA_VERSION:
        msg = (
            f"{segment} follows store schema {schema}; this purigeom reads {SCHEMA_VERSION}. Use the version that "
            f"wrote it (its seals in {SEAL} tell the commit), or measure anew with --out FOLDER."
        )
        raise ValueError(msg)


def sealed(segment: Place, plan: Plan) -> set[tuple[int, int]]:
    """Return the row and block of every finished unit, from the names of the seals alone."""
    names = files(segment / SEAL)
    if FILE not in names:
        raise ValueError(damaged(segment / SEAL, "its header is missing"))
    return units(names, plan)


def units(names: list[str], plan: Plan) -> set[tuple[int, int]]:
    """Return the row and block of every chunk in a list of files that holds a unit of the plan."""
    found = (re.fullmatch(r"c\.([0-9]+)\.([0-9]+)", name) for name in names)
    places = {(int(one[1]), int(one[2])) for one in found if one}
    return {(row, block) for row, block in places if row < len(plan.rows) and block < plan.blocks}
