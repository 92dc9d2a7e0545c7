"""From the segments of a store to one labelled Dataset of everything that is finished."""

import json
from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from purigeom.schema import validate
from purigeom.store.arrays import HEADER, chunk_problem, damaged, header_problem, opened
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


def progress_of(root: Path | str) -> list[Progress]:
    """Return every segment of a store and what is done of it, in the order in which they were asked for."""
    segments = sorted(path for path in Path(root).glob("*.zarr") if not path.name.startswith("."))
    found = [Progress(path, read_plan(path), frozenset(sealed(path))) for path in segments]
    return sorted(found, key=lambda progress: progress.plan.number)


def load(root: Path | str) -> xr.Dataset:
    """Return all finished answers of a store, opened lazily where one segment holds them.

    Rows of which any unit is missing are left out whole. Where some purifiers were asked fewer questions
    than others, the missing facts are NaN.

    Raises
    ------
    ValueError
        Where something is damaged: here where a header is, or a number is missing; on reading where a number is.
    """
    found = progress_of(root)
    if not found:
        msg = f"{root} holds no segment of a purigeom store. Check the path, or run a measurement into it."
        raise FileNotFoundError(msg)
    rows = _rows(found)
    questions: dict[str, list[xr.Dataset]] = {}
    for progress in found:
        parts = questions.setdefault(progress.plan.label, [])
        there = {name for part in parts for name in part["purifier"].values}
        parts.append(_finished(progress, there))
    answers = [_joined(parts) for parts in questions.values()]
    asked = {progress.plan.label: json.dumps(asdict(progress.plan.question)) for progress in found}
    return validate(_described(_merged(answers), rows)).assign_attrs(asked)


def _rows(found: list[Progress]) -> dict[str, Row]:
    """Return every purifier by its name; raise where two programs at once gave one name to two of them."""
    rows: dict[str, Row] = {}
    for progress in found:
        for row in progress.plan.rows:
            if rows.setdefault(row.purifier, row).recipe != row.recipe:
                msg = (
                    f"{progress.segment} and another segment hold different purifiers named {row.purifier!r}: "
                    f"{row.recipe} and {rows[row.purifier].recipe}. Delete the segment of one of them."
                )
                raise ValueError(msg)
    return rows


def _finished(progress: Progress, there: set[str]) -> xr.Dataset:
    """Return the rows of a segment whose every unit is sealed and that are not there already."""
    plan = progress.plan
    for path in sorted(path for path in progress.segment.iterdir() if path.is_dir()):
        problem = header_problem(path) or chunk_problem(path, progress.done)
        if problem:
            raise ValueError(damaged(path, problem))
    blocks = range(plan.blocks)
    rows = [
        place
        for place, row in enumerate(plan.rows)
        if row.purifier not in there and all((place, block) in progress.done for block in blocks)
    ]
    facts = xr.open_zarr(progress.segment, consolidated=False, chunks=None, drop_variables=[SEAL])
    facts = facts if len(rows) == len(plan.rows) else facts.isel(purifier=rows)
    facts.attrs = {}
    for variable in facts.variables.values():
        variable.attrs.pop(HEADER, None)
    return facts.assign_coords(purifier=_text([plan.rows[row].purifier for row in rows]))


def _joined(parts: list[xr.Dataset]) -> xr.Dataset:
    """Join the answers to one question; segments without any finished row may lack variables too."""
    parts = [part for part in parts if part.sizes["purifier"]] or parts[:1]
    return parts[0] if len(parts) == 1 else xr.concat(parts, "purifier")


def _merged(answers: list[xr.Dataset]) -> xr.Dataset:
    """Join the answers to different questions, purifiers in the order they were first asked."""
    names = list(dict.fromkeys(name for answer in answers for name in answer["purifier"].values))
    times = Counter(name for answer in answers for name in answer.data_vars)
    shared = [name for name, count in times.items() if count > 1]
    answers = [_numbers(answer, [name for name in shared if name in answer]) for answer in answers]
    aligned = [answer if list(answer["purifier"].values) == names else _extended(answer, names) for answer in answers]
    return xr.merge(aligned, join="outer", compat="no_conflicts", combine_attrs="drop")


def _extended(answer: xr.Dataset, names: list[str]) -> xr.Dataset:
    """Give every purifier a row, NaN where it has none."""
    return _numbers(answer, answer.data_vars).reindex(purifier=_text(names))


def _numbers(answer: xr.Dataset, names: Iterable[Hashable]) -> xr.Dataset:
    """Make numbers of the named booleans, so that they can hold NaN."""
    return answer.assign({name: answer[name].astype(float) for name in names if answer[name].dtype == bool})


def _described(results: xr.Dataset, rows: dict[str, Row]) -> xr.Dataset:
    """Attach to every purifier what studies group it by."""
    chosen = [rows[name] for name in results["purifier"].values]
    return results.assign_coords(
        purifier=_text(list(results["purifier"].values)),
        family=("purifier", _text([row.family for row in chosen])),
        network=("purifier", _text([row.network or "" for row in chosen])),
        recipe=("purifier", _text([row.recipe["description"] for row in chosen])),
        differentiability=("purifier", _text([row.differentiability for row in chosen])),
        depth=("purifier", np.array([float(row.fields.get("depth", "nan")) for row in chosen])),
    )


def _text(words: list[str]) -> np.ndarray[Any, Any]:
    return np.array(words, dtype=object)


def provenance(root: Path | str) -> list[dict[str, Any]]:
    """Return what made every finished unit: package versions, commit, device, seconds."""
    made = []
    for progress in progress_of(root):
        seals = opened(progress.segment, SEAL)
        for row, block in sorted(progress.done):
            unit = {"question": progress.plan.label, "purifier": progress.plan.rows[row].purifier, "block": block}
            made.append({**unit, **json.loads(str(seals[row, block]))})
    return made
