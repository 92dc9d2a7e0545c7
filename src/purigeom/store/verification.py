"""Reading a whole store again, to know that every byte of it is what was written."""

from dataclasses import dataclass
from pathlib import Path

from purigeom.store.arrays import chunk_problem, header_problem, opened
from purigeom.store.segment import SEAL, read_plan, sealed


@dataclass(frozen=True)
class Finding:
    """Something wrong with a store, and where."""

    path: Path
    problem: str


def verify(root: Path | str) -> list[Finding]:
    """Return everything that is wrong with a store; an empty list is good news."""
    root = Path(root)
    findings = []
    segments = sorted(path for path in root.glob("*.zarr") if not path.name.startswith("."))
    if not segments:
        findings.append(Finding(root, "holds no segment of a purigeom store"))
    for segment in segments:
        try:
            read_plan(segment)
            findings += _damaged_arrays(segment)
        except (ValueError, OSError) as error:
            findings.append(Finding(segment, str(error)))
    for path in sorted([*root.glob(".*.partial"), *root.glob("*.zarr/*/*.partial")]):
        findings.append(Finding(path, "left over from a run that was stopped; it can be deleted"))
    return findings


def _damaged_arrays(segment: Path) -> list[Finding]:
    done = sealed(segment)
    findings = []
    for path in sorted(path for path in segment.iterdir() if path.is_dir()):
        try:
            problem = header_problem(path) or chunk_problem(path, done)
            if not problem:
                _read(path, done)
        except Exception as error:
            problem = f"cannot be read: {type(error).__name__}: {error}"
        if problem:
            findings.append(Finding(path, problem))
    return findings


def _read(path: Path, done: set[tuple[int, int]]) -> None:
    """Read everything that finished units wrote; damage raises."""
    array = opened(path.parent, path.name)
    if path.name == SEAL or array.ndim == 1:
        array[...]
    else:
        for row in sorted({row for row, _ in done}):
            array[row]
