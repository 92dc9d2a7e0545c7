"""Reading a whole store again, to know that every byte of it is what was written."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zarr

from purigeom.schema import VARIABLES
from purigeom.store.segment import read_plan, sealed


@dataclass(frozen=True)
class Finding:
    """Something wrong with a store, and where."""

    path: Path
    problem: str


def verify(root: Path) -> list[Finding]:
    """Return everything that is wrong with a store; an empty list is good news."""
    findings = []
    for path in sorted(root.glob("*.zarr")):
        try:
            read_plan(path)
        except ValueError as error:
            findings.append(Finding(path, str(error)))
        else:
            findings += _damaged_arrays(path)
    for path in sorted(root.glob(".*.partial")):
        findings.append(Finding(path, "left over from a run that was stopped; it can be deleted"))
    return findings


def _damaged_arrays(segment: Path) -> list[Finding]:
    group = zarr.open_group(segment, mode="r", use_consolidated=False)
    done = sealed(segment)
    findings = []
    for name in sorted(path.parent.name for path in segment.glob("*/zarr.json")):
        try:
            problem = _problem(segment / name, group[name], done)
        except Exception as error:  # noqa: BLE001  whatever a flipped byte makes the codecs raise
            problem = f"cannot be read: {type(error).__name__}: {error}"
        if problem:
            findings.append(Finding(segment / name, problem))
    return findings


def _problem(path: Path, array: "zarr.Array[Any]", done: set[tuple[int, int]]) -> str | None:
    """Read every chunk that a finished unit wrote; return what is wrong with it."""
    if path.name not in VARIABLES:
        array[...]
        return None
    axis = (array.metadata.dimension_names or ()).index("image")
    for row, block in sorted(done):
        place = ["0"] * array.ndim
        place[0], place[axis] = str(row), str(block)
        if not (path / ".".join(["c", *place])).exists():
            return f"the chunk of the finished unit {(row, block)} is missing"
    for row in sorted({row for row, _ in done}):
        array[row]
    return None
