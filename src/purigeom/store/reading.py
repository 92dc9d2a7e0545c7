"""From the segments of a store to one labelled Dataset of everything that is finished."""

import json
import warnings
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import xarray as xr

from purigeom.schema import validate
from purigeom.store.arrays import FILE, HEADER
from purigeom.store.findings import found_in
from purigeom.store.limits import damaged, decoded_at_once
from purigeom.store.places import Place, arrays, place, reached, read
from purigeom.store.plan import Plan, Row
from purigeom.store.presence import PLANNED, SEAL, answered, plan_of, sealed, segments, sentences

LAZY_BYTES = 4 << 20
"""How much of a variable is read at once where everything is lazy: whole chunks, so that none is read twice."""


@dataclass(frozen=True)
class Progress:
    """How much of a segment is finished."""

    segment: Place
    plan: Plan
    done: frozenset[tuple[int, int]]

    @property
    def missing(self) -> int:
        """Return the number of unanswered units."""
        return len(self.plan.rows) * self.plan.blocks - len(self.done)


def progress_of(root: Place | str) -> list[Progress]:
    """Return every segment of a store and what is done of it, in the order in which they were asked for."""
    plans = [(segment, plan_of(segment)) for segment in segments(place(root))]
    found = [Progress(segment, plan, frozenset(sealed(segment, plan))) for segment, plan in plans if plan]
    return sorted(found, key=lambda progress: progress.plan.number)


def load(root: Place | str, *, lazy: bool = False) -> xr.Dataset:
    """Return all finished answers of a store, opened lazily where one segment holds them.

    Rows of which any unit is missing are left out whole. Where some purifiers were asked fewer questions
    than others, the missing facts are NaN.

    Parameters
    ----------
    root
        A folder, or a URL such as `s3://bucket/study`.
    lazy
        Open everything lazily as Dask arrays, so that a store larger than memory can be summarised.

    Raises
    ------
    ValueError
        Where something is damaged: here where a header is, or a number is missing; on reading where a number is.
    """
    found = progress_of(root)
    if not found:
        msg = f"{root} holds no segment of a purigeom store. Check the path, or run a measurement into it."
        raise FileNotFoundError(msg)
    rows = rows_by_name(found)
    chunks = _chunked(lazy)
    with sentences(root):
        results = validate(_described(_merged(_answers(found, chunks)), rows))
    return results.assign_attrs({one.plan.label: json.dumps(asdict(one.plan.question)) for one in found})


def _answers(found: list[Progress], chunks: Literal["auto"] | None) -> list[xr.Dataset]:
    """Return the finished answers to every question."""
    questions: dict[str, list[xr.Dataset]] = {}
    for progress in found:
        parts = questions.setdefault(progress.plan.label, [])
        there = {name for part in parts for name in part["purifier"].values}
        parts.append(_finished(progress, there, chunks))
    return [_joined(parts) for parts in questions.values()]


def rows_by_name(found: list[Progress]) -> dict[str, Row]:
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


def _chunked(lazy: bool) -> Literal["auto"] | None:
    """Return in what chunks to open arrays; None leaves Dask out."""
    if not lazy:
        return None
    try:
        import dask  # noqa: F401
    except ImportError as error:
        msg = "load(..., lazy=True) needs Dask: pip install 'purigeom[dask]', or load without it."
        raise ModuleNotFoundError(msg) from error
    return "auto"


@contextmanager
def _grouped(segment: Place, chunks: Literal["auto"] | None) -> Iterator[None]:
    """Let Dask take `LAZY_BYTES` of a segment's numbers at once, or more where one image has more."""
    if chunks is None:
        yield
        return
    import dask

    headers = (read(segment / name / FILE) for name in answered(segment))
    needed = [decoded_at_once(header)[0] for header in headers if header]
    with dask.config.set({"array.chunk-size": max([LAZY_BYTES, *needed])}):
        yield


def _finished(progress: Progress, there: set[str], chunks: Literal["auto"] | None) -> xr.Dataset:
    """Return the rows of a segment whose every unit is sealed and that are not there already."""
    plan, segment = progress.plan, progress.segment
    for name in sorted([*answered(segment), *PLANNED]):
        refuse_damage(segment / name, plan, progress.done)
    blocks = range(plan.blocks)
    rows = [
        place
        for place, row in enumerate(plan.rows)
        if row.purifier not in there and all((place, block) in progress.done for block in blocks)
    ]
    with reached(segment), warnings.catch_warnings(), _grouped(segment, chunks):
        warnings.filterwarnings("ignore", "Object at")  # an array without a header: its writer was stopped
        facts = xr.open_zarr(arrays(segment), consolidated=False, chunks=chunks, drop_variables=[SEAL])
    facts = facts if len(rows) == len(plan.rows) else facts.isel(purifier=rows)
    facts.attrs = {}
    for variable in facts.variables.values():
        variable.attrs.pop(HEADER, None)
    return facts.assign_coords(purifier=_text([plan.rows[row].purifier for row in rows]))


def refuse_damage(array: Place, plan: Plan, done: Collection[tuple[int, int]]) -> None:
    """Raise where the names and headers of an array tell that it is damaged."""
    for finding in found_in(array, plan, done):
        if not finding.harmless:
            raise ValueError(damaged(finding.path, finding.problem))


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
