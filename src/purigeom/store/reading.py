"""From the segments of a store to one labelled Dataset of everything that is finished."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr

from purigeom.schema import validate
from purigeom.store.plan import Plan, Row
from purigeom.store.segment import SEAL, read_plan, sealed


@dataclass(frozen=True)
class Progress:
    """How much of a segment is finished."""

    segment: Path
    plan: Plan
    done: frozenset[tuple[int, int]]

    @property
    def missing(self) -> int:
        """Return the number of unanswered units."""
        return len(self.plan.rows) * self.plan.blocks - len(self.done)


def progress_of(root: Path) -> list[Progress]:
    """Return every segment of a store and what is done of it."""
    segments = sorted(path for path in root.glob("*.zarr") if not path.name.startswith("."))
    return [Progress(path, read_plan(path), frozenset(sealed(path))) for path in segments]


def load(root: Path) -> xr.Dataset:
    """Return all finished answers of a store, opened lazily where one segment holds them.

    Rows of which any unit is missing are left out whole. Where some purifiers were asked fewer questions
    than others, the missing facts are NaN.
    """
    found = progress_of(root)
    if not found:
        msg = f"{root} holds no segment of a purigeom store. Check the path, or run a measurement into it."
        raise FileNotFoundError(msg)
    questions: dict[str, list[xr.Dataset]] = {}
    rows: dict[str, Row] = {}
    for progress in found:
        rows |= {row.purifier: row for row in progress.plan.rows}
        questions.setdefault(progress.plan.label, []).append(_finished(progress))
    answers = [parts[0] if len(parts) == 1 else xr.concat(parts, "purifier") for parts in questions.values()]
    return validate(_described(_merged(answers), rows))


def _finished(progress: Progress) -> xr.Dataset:
    """Return the rows of a segment whose every unit is sealed."""
    plan = progress.plan
    blocks = range(plan.blocks)
    rows = [row for row in range(len(plan.rows)) if all((row, block) in progress.done for block in blocks)]
    opened = xr.open_zarr(progress.segment, consolidated=False, chunks=None, drop_variables=[SEAL])
    opened = opened if len(rows) == len(plan.rows) else opened.isel(purifier=rows)
    opened.attrs = {}
    return opened.assign_coords(purifier=_text([plan.rows[row].purifier for row in rows]))


def _merged(answers: list[xr.Dataset]) -> xr.Dataset:
    """Join the answers to different questions, purifiers in the order they were first asked."""
    names = list(dict.fromkeys(name for answer in answers for name in answer["purifier"].values))
    aligned = [
        answer if list(answer["purifier"].values) == names else _extended(answer, names) for answer in answers
    ]
    return xr.merge(aligned, join="outer", compat="no_conflicts", combine_attrs="drop")


def _extended(answer: xr.Dataset, names: list[str]) -> xr.Dataset:
    """Give every purifier a row, NaN where it has none; booleans become numbers to hold NaN."""
    numbers = {name: array.astype(float) for name, array in answer.data_vars.items() if array.dtype == bool}
    return answer.assign(numbers).reindex(purifier=_text(names))


def _described(results: xr.Dataset, rows: dict[str, Row]) -> xr.Dataset:
    """Attach to every purifier what studies group it by."""
    chosen = [rows[name] for name in results["purifier"].values]
    return results.assign_coords(
        family=("purifier", _text([row.family for row in chosen])),
        network=("purifier", _text([row.network or "" for row in chosen])),
        recipe=("purifier", _text([row.recipe["description"] for row in chosen])),
        differentiability=("purifier", _text([row.differentiability for row in chosen])),
        depth=("purifier", np.array([float(row.fields.get("depth", "nan")) for row in chosen])),
    )


def _text(words: list[str]) -> np.ndarray[Any, Any]:
    return np.array(words, dtype=object)


def provenance(root: Path) -> list[dict[str, Any]]:
    """Return what made every finished unit: package versions, commit, device, seconds."""
    made = []
    for progress in progress_of(root):
        seals = zarr.open_group(progress.segment, mode="r", use_consolidated=False)[SEAL]
        for row, block in sorted(progress.done):
            unit = {"question": progress.plan.label, "purifier": progress.plan.rows[row].purifier, "block": block}
            made.append({**unit, **json.loads(str(seals[row, block]))})
    return made
