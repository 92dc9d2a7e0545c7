"""One segment on disk: created whole, filled unit by unit, each unit sealed after its last number."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr

from purigeom.schema import SCHEMA_VERSION, VARIABLES
from purigeom.store.arrays import TEXT, Layout, add_array, add_values, opened, whole
from purigeom.store.plan import Plan, folder_name, from_json, to_json

SEAL = "made_by"
"""The array whose chunk (row, block) is written last: a unit counts only once it is there."""


def create(root: Path, plan: Plan) -> Path:
    """Lay out a segment so that it appears whole; leave the one that is there already."""
    attributes = to_json(plan)
    target = root / folder_name(plan.label, attributes)
    if target.exists():
        return target
    with named_failures(target):
        root.mkdir(parents=True, exist_ok=True)
        with whole(target, root) as scratch:
            zarr.create_group(scratch, attributes={"purigeom": attributes})
            add_values(scratch, "purifier", "purifier", np.array([row.purifier for row in plan.rows], TEXT))
            add_values(scratch, "image", "image", np.array(plan.image_ids, np.int64))
            seals = Layout(("purifier", "block"), (len(plan.rows), plan.blocks), (1, 1), TEXT)
            add_array(scratch, SEAL, seals)
    return target


def read_plan(segment: Path) -> Plan:
    """Return a segment's plan; raise where it is damaged or of another schema."""
    header = segment / "zarr.json"
    return _read_plan(segment, header.stat().st_mtime_ns if header.exists() else 0)


@lru_cache
def _read_plan(segment: Path, changed: int) -> Plan:
    del changed  # part of the cache's key
    try:
        attributes = json.loads((segment / "zarr.json").read_text())["attributes"]["purigeom"]
        if folder_name(attributes["label"], attributes) != segment.name:
            msg = f"{segment} is damaged: its header does not match its name. Restore it or delete the folder."
            raise ValueError(msg)
        _refuse_other_schema(segment, attributes["schema"])
        return from_json(attributes)
    except (OSError, KeyError, TypeError, AttributeError, json.JSONDecodeError, UnicodeDecodeError) as error:
        msg = f"{segment} is no readable segment of a purigeom store ({type(error).__name__}: {error})."
        raise ValueError(msg) from error


def _refuse_other_schema(segment: Path, schema: int) -> None:
    if schema != SCHEMA_VERSION:
        msg = (
            f"{segment} follows store schema {schema}; this purigeom reads {SCHEMA_VERSION}. Use the "
            "version that wrote it, or measure into a new folder."
        )
        raise ValueError(msg)


def sealed(segment: Path) -> set[tuple[int, int]]:
    """Return the row and block of every finished unit, from the names of the seals alone."""
    names = (entry.name for entry in os.scandir(segment / SEAL) if entry.name.startswith("c."))
    return {(int(row), int(block)) for _, row, block in (name.split(".") for name in names if name.count(".") == 2)}


def write(segment: Path, row: int, block: int, answer: xr.Dataset, made_by: dict[str, Any]) -> None:
    """Write one unit's answer, then its seal."""
    plan = read_plan(segment)
    places = plan.places(block)
    with named_failures(segment):
        for name in answer.indexes:
            _label(segment, str(name), answer[name].values, plan.image_ids[places])
        for name, variable in answer.data_vars.items():
            array = _variable(segment, plan, str(name), variable)
            axis = variable.dims.index("image") + 1
            region = [slice(row, row + 1)] + [slice(0, size) for size in array.shape[1:]]
            region[axis] = places
            check_ownership(array, tuple(region))
            array[tuple(region)] = variable.values[None]
        opened(segment, SEAL, "r+")[row, block] = json.dumps(made_by, sort_keys=True)


def check_ownership(array: "zarr.Array[Any]", region: tuple[slice, ...]) -> None:
    """Raise unless a region covers whole chunks, or shards: what two writers share, one of them loses."""
    owned = array.shards or array.chunks
    for place, chunk, size in zip(region, owned, array.shape, strict=True):
        if place.start % chunk or (place.stop % chunk and place.stop != size):
            msg = (
                f"A unit must own whole chunks of {array.path!r}, of shape {owned}; got the region {region}. "
                "Writers that share a chunk lose each other's numbers."
            )
            raise ValueError(msg)


def _label(segment: Path, name: str, labels: np.ndarray[Any, Any], ids: tuple[int, ...]) -> None:
    """Store the labels of a dimension with the first answer; raise if a later answer has others."""
    if name == "image":
        stored: np.ndarray[Any, Any] = np.array(ids)
    else:
        if not (segment / name).exists():
            add_values(segment, name, name, labels)
        stored = np.asarray(opened(segment, name)[...])
    if list(labels) != list(stored):
        msg = f"The labels of {name!r} must be those of {segment}, {list(stored)}; this answer has {list(labels)}."
        raise ValueError(msg)


def _variable(segment: Path, plan: Plan, name: str, variable: xr.DataArray) -> "zarr.Array[Any]":
    """Return a variable's array, creating it from the first answer; all answers of a segment look alike."""
    sizes = {**variable.sizes, "image": len(plan.image_ids)}
    chunks = {**variable.sizes, "image": plan.images_per_unit}
    dims = tuple(str(dim) for dim in variable.dims)
    shape = (len(plan.rows), *(sizes[dim] for dim in dims))
    if not (segment / name).exists():
        documented = {"description": VARIABLES[name].meaning, "units": VARIABLES[name].units}
        owned = (1, *(chunks[dim] for dim in dims))
        add_array(segment, name, Layout(("purifier", *dims), shape, owned, variable.dtype, documented))
    array = opened(segment, name, "r+")
    if array.shape != shape:
        msg = f"{name!r} of this purifier has shape {shape}; earlier answers in {segment} have {array.shape}."
        raise ValueError(msg)
    if not np.can_cast(variable.dtype, array.dtype, "same_kind"):
        msg = f"{name!r} of this purifier is {variable.dtype}; earlier answers in {segment} are {array.dtype}."
        raise ValueError(msg)
    return array


@contextmanager
def named_failures(path: Path) -> Iterator[None]:
    """Say where writing failed, and that what is stored stays."""
    try:
        yield
    except OSError as error:
        msg = (
            f"{path} could not be written: {error.strerror or error}. What was stored before stays readable; make "
            "room or choose another folder and run again, only missing answers will be measured."
        )
        raise OSError(error.errno, msg) from error
