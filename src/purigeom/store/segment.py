"""One segment of a store: there once its header is, filled unit by unit, each unit sealed after its last number."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import zip_longest
from typing import Any

import numpy as np
import xarray as xr
import zarr
from zarr.storage import MemoryStore

from purigeom.schema import VARIABLES
from purigeom.store.arrays import (
    FILE,
    LABELS,
    TEXT,
    Layout,
    decoded,
    encoded,
    header_of,
    header_problem,
    intact,
    labelled,
    laid_out,
    put_all,
)
from purigeom.store.findings import seal_of
from purigeom.store.places import Place, failure, read, refusal, refused
from purigeom.store.plan import Plan, folder_name, to_json
from purigeom.store.presence import SEAL, read_plan
from purigeom.store.shards import parts_of


class RefusedError(OSError):
    """Raised where a disk or a network did not do what a store asked of it."""


def create(root: Place, plan: Plan) -> Place:
    """Lay out a segment; leave the one that is there already."""
    segment = root / folder_name(plan.label, to_json(plan))
    with named_failures(segment):
        if read(segment / FILE) is None:
            put_all(segment, contents(plan))
    return segment


def contents(plan: Plan) -> dict[str, bytes]:
    """Return the files of a segment without answers, its header last: two drivers with one plan put the same bytes."""
    held: dict[str, Any] = {}
    zarr.create_group(MemoryStore(held), attributes={"purigeom": to_json(plan)})
    seals = Layout(("purifier", "block"), (len(plan.rows), plan.blocks), (1, 1), TEXT)
    return {
        **labelled("purifier", np.array([row.purifier for row in plan.rows], TEXT)),
        **labelled("image", np.array(plan.image_ids, np.int64)),
        **laid_out(SEAL, seals),
        FILE: held[FILE].to_bytes(),
    }


def sealed(segment: Place, row: int, block: int) -> bool:
    """Return whether a unit is finished; raise as writing does where its store is out of reach."""
    with named_failures(segment):
        return read(seal_of(segment, row, block)) is not None


def write(segment: Place, row: int, block: int, answer: xr.Dataset, made_by: dict[str, Any]) -> None:
    """Write one unit's answer, then its seal: one file, so that the unit is finished at once."""
    with named_failures(segment):
        plan = read_plan(segment)
        places = plan.places(block)
        for name in answer.indexes:
            _label(segment, str(name), answer[name].values, plan.image_ids[places])
        for name, variable in answer.data_vars.items():
            header = _variable(segment, plan, str(name), variable)
            axis = variable.dims.index("image") + 1
            region = [slice(row, row + 1)] + [slice(0, size) for size in variable.shape]
            region[axis] = places
            put_all(segment, encoded(str(name), header, tuple(region), variable.values[None]))
        said = np.array([[json.dumps(made_by, sort_keys=True)]], TEXT)
        unit = (slice(row, row + 1), slice(block, block + 1))
        put_all(segment, encoded(SEAL, header_of(segment / SEAL), unit, said))


def _label(segment: Place, name: str, labels: np.ndarray[Any, Any], ids: tuple[int, ...]) -> None:
    """Store the labels of a dimension with the first answer; raise if a later answer has others."""
    stored = np.array(ids) if name == "image" else _stored_labels(segment, name, labels)
    if labels.tolist() != stored.tolist():
        wanted, came = next(pair for pair in zip_longest(stored.tolist(), labels.tolist()) if pair[0] != pair[1])
        msg = (
            f"The labels of {name!r} must be the {len(stored)} of {segment}; this answer has {len(labels)}, and the "
            f"first that differs is {came!r}, not {wanted!r}."
        )
        raise ValueError(msg)


def _stored_labels(segment: Place, name: str, labels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the labels that a segment has for a dimension: these ones, where it has none yet or lost some file."""
    array = segment / name
    header, chunk = read(array / FILE), read(array / LABELS)
    if header is None or chunk is None:
        put_all(segment, labelled(name, labels))
        header, chunk = read(array / FILE), read(array / LABELS)
    return _labels_in(intact(array, header), chunk or b"")


@lru_cache(maxsize=256)
def _labels_in(header: bytes, chunk: bytes) -> np.ndarray[Any, Any]:
    """Return the labels of a dimension, which every unit of a segment asks for anew."""
    return decoded(header, LABELS, chunk)


def _variable(segment: Place, plan: Plan, name: str, variable: xr.DataArray) -> bytes:
    """Return the header of a variable's array, made with the first answer; all answers of a segment look alike."""
    sizes = {**variable.sizes, "image": len(plan.image_ids)}
    shape = (len(plan.rows), *(sizes[dim] for dim in variable.dims))
    header = read(segment / name / FILE)
    if header is None:
        put_all(segment, _begun(segment, plan, name, variable, shape))
        header = read(segment / name / FILE)
    header = intact(segment / name, header)
    found = json.loads(header)
    if tuple(found["shape"]) != shape:
        msg = f"{name!r} of this purifier has shape {shape}; earlier answers in {segment} have {tuple(found['shape'])}."
        raise ValueError(msg)
    if not np.can_cast(variable.dtype, found["data_type"], "same_kind"):
        msg = f"{name!r} of this purifier is {variable.dtype}; earlier answers in {segment} are {found['data_type']}."
        raise ValueError(msg)
    return header


def _begun(segment: Place, plan: Plan, name: str, variable: xr.DataArray, shape: tuple[int, ...]) -> dict[str, bytes]:
    """Return the files of a variable's array that holds nothing yet; raise where nobody could read what it will."""
    contents = laid_out(name, _layout(plan, name, variable, shape))
    problem = header_problem(contents[f"{name}/{FILE}"])
    if problem:
        msg = f"{name!r} cannot be stored in {segment}: {problem}. Ask for fewer draws, or about smaller images."
        raise ValueError(msg)
    return contents


def _layout(plan: Plan, name: str, variable: xr.DataArray, shape: tuple[int, ...]) -> Layout:
    """Return what the array of a variable looks like: a chunk is what one unit says of it, in parts if that is much.

    It follows from the plan and from what all answers to a question share, so that two drivers lay out the same.
    """
    chunks = {**variable.sizes, "image": plan.images_per_unit}
    dims = tuple(str(dim) for dim in variable.dims)
    documented = {"description": VARIABLES[name].meaning, "units": VARIABLES[name].units}
    owned = (1, *(chunks[dim] for dim in dims))
    along = ("purifier", *dims)
    dtype = _with_room(variable.dtype)
    parts = parts_of(along, owned, dtype.itemsize)
    return Layout(along, shape, owned, dtype, documented, parts)


def _with_room(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the type in which a variable is stored: one with room for NaN, since any later image may be set aside."""
    return dtype if dtype.kind == "f" else np.dtype(np.float32 if dtype.kind == "b" else np.float64)


@contextmanager
def named_failures(path: Place) -> Iterator[None]:
    """Say where writing failed, and that what is stored stays."""
    try:
        yield
    except Exception as error:
        if not refused(error):
            raise
        msg = (
            f"{path} could not be written: {refusal(error)}. What was stored before stays readable; make "
            "room or choose another folder and run again, only missing answers will be measured."
        )
        raise RefusedError(*failure(error, msg).args) from error
