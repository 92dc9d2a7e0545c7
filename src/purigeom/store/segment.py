"""One segment on disk: created whole, filled unit by unit, each unit sealed after its last number."""

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr
from zarr.codecs import Crc32cCodec, ZstdCodec

from purigeom.schema import SCHEMA_VERSION, VARIABLES
from purigeom.store.plan import Plan, folder_name, from_json, to_json

SEAL = "made_by"
"""The array whose chunk (row, block) is written last: a unit counts only once it is there."""
_TEXT = np.dtypes.StringDType()
_CODECS = (ZstdCodec(level=3), Crc32cCodec())  # the checksum covers the bytes as they lie on disk
_FLAT = {"name": "default", "separator": "."}  # a chunk is a file beside its siblings: one listing shows all


def create(root: Path, plan: Plan) -> Path:
    """Lay out a segment so that it appears whole; leave the one that is there already."""
    attributes = to_json(plan)
    target = root / folder_name(plan.label, attributes)
    if target.exists():
        return target
    scratch = root / f".{target.name}.{uuid.uuid4().hex}.partial"
    with named_failures(target):
        root.mkdir(parents=True, exist_ok=True)
        try:
            _lay_out(scratch, plan, attributes)
            scratch.rename(target)
        except OSError:
            if not target.exists():  # else another process was first, with the same plan
                raise
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return target


def _lay_out(path: Path, plan: Plan, attributes: dict[str, Any]) -> None:
    group = zarr.create_group(path, attributes={"purigeom": attributes})
    _add(group, "purifier", np.array([row.purifier for row in plan.rows], _TEXT), ("purifier",))
    _add(group, "image", np.array(plan.image_ids, np.int64), ("image",))
    group.create_array(
        SEAL,
        shape=(len(plan.rows), plan.blocks),
        chunks=(1, 1),
        dtype=_TEXT,
        compressors=_CODECS,
        chunk_key_encoding=_FLAT,
        dimension_names=("purifier", "block"),
    )


def read_plan(segment: Path) -> Plan:
    """Return a segment's plan; raise where it is damaged or of another schema."""
    header = segment / "zarr.json"
    return _read_plan(segment, header.stat().st_mtime_ns if header.exists() else 0)


@lru_cache
def _read_plan(segment: Path, changed: int) -> Plan:
    del changed  # part of the cache's key
    try:
        attributes = json.loads((segment / "zarr.json").read_text())["attributes"]["purigeom"]
        plan = from_json(attributes)
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = f"{segment} is no readable segment of a purigeom store ({type(error).__name__}: {error})."
        raise ValueError(msg) from error
    if plan.schema != SCHEMA_VERSION:
        msg = (
            f"{segment} follows store schema {plan.schema}; this purigeom reads {SCHEMA_VERSION}. Use the "
            "version that wrote it, or measure into a new folder."
        )
        raise ValueError(msg)
    if folder_name(plan.label, attributes) != segment.name:
        msg = f"{segment} is damaged: its header does not match its name. Restore it or delete the folder."
        raise ValueError(msg)
    return plan


def sealed(segment: Path) -> set[tuple[int, int]]:
    """Return the row and block of every finished unit, from the names of the seals alone."""
    names = (entry.name for entry in os.scandir(segment / SEAL) if entry.name.startswith("c."))
    return {(int(row), int(block)) for _, row, block in (name.split(".") for name in names if name.count(".") == 2)}


def write(segment: Path, row: int, block: int, answer: xr.Dataset, made_by: dict[str, Any]) -> None:
    """Write one unit's answer, then its seal."""
    plan = read_plan(segment)
    places = plan.places(block)
    with named_failures(segment):
        group = zarr.open_group(segment, mode="r+", use_consolidated=False)
        for name in answer.coords:
            if name != "image" and name not in group:
                _add(group, str(name), _labels(answer[name].values), (str(name),))
        for name, variable in answer.data_vars.items():
            array = _variable(group, plan, str(name), variable)
            axis = variable.dims.index("image") + 1
            region = [slice(row, row + 1)] + [slice(0, size) for size in array.shape[1:]]
            region[axis] = places
            check_ownership(array, tuple(region))
            array[tuple(region)] = variable.values[None]
        group[SEAL][row, block] = json.dumps(made_by, sort_keys=True)


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


def _variable(group: zarr.Group, plan: Plan, name: str, variable: xr.DataArray) -> "zarr.Array[Any]":
    """Return a variable's array, creating it from the first answer; all answers of a segment look alike."""
    sizes = {**variable.sizes, "image": len(plan.image_ids)}
    chunks = {**variable.sizes, "image": plan.images_per_unit}
    shape = (len(plan.rows), *(sizes[dim] for dim in variable.dims))
    if name not in group:
        _create(group, name, shape, tuple(chunks[dim] for dim in variable.dims), variable)
    array: zarr.Array[Any] = group[name]
    if array.shape != shape:
        msg = f"{name!r} of this purifier has shape {shape}; earlier answers in {group.store} have {array.shape}."
        raise ValueError(msg)
    return array


def _create(
    group: zarr.Group, name: str, shape: tuple[int, ...], chunks: tuple[int, ...], variable: xr.DataArray
) -> None:
    declared = VARIABLES[name]
    with _first_or_second():
        group.create_array(
            name,
            shape=shape,
            chunks=(1, *chunks),
            dtype=variable.dtype,
            fill_value=np.nan if variable.dtype.kind == "f" else 0,
            compressors=_CODECS,
            chunk_key_encoding=_FLAT,
            dimension_names=("purifier", *(str(dim) for dim in variable.dims)),
            attributes={"description": declared.meaning, "units": declared.units},
            config={"write_empty_chunks": True},
        )


def _add(group: zarr.Group, name: str, values: np.ndarray[Any, Any], dims: tuple[str, ...]) -> None:
    with _first_or_second():
        array = group.create_array(
            name,
            shape=values.shape,
            chunks=values.shape,
            dtype=values.dtype,
            compressors=_CODECS,
            chunk_key_encoding=_FLAT,
            dimension_names=dims,
            config={"write_empty_chunks": True},
        )
    array = group[name]
    array[...] = values


def _labels(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return values.astype(_TEXT) if values.dtype.kind in "UO" else values


@contextmanager
def _first_or_second() -> Iterator[None]:
    """Accept that another process created the same array in the same moment."""
    try:
        yield
    except zarr.errors.ContainsArrayError:
        pass


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
