"""Bringing the stores of several sites into one: chunk by chunk as they are, and nothing at all unless they agree."""

import json
from dataclasses import replace

from purigeom.store.agreement import (
    Gathered,
    Holder,
    blocks_of,
    refuse_conflicts,
    refuse_damage,
    refuse_other_layouts,
    refuse_other_questions,
)
from purigeom.store.arrays import FILE, LABELS, chunk_name, dims_of, header_of, sealed_header
from purigeom.store.places import Place, place, put, read
from purigeom.store.plan import folder_name, to_json
from purigeom.store.presence import SEAL, answered
from purigeom.store.reading import Progress, progress_of, rows_by_name
from purigeom.store.segment import create, named_failures


def merge(target: Place | str, *sources: Place | str) -> Place:
    """Add to a store all finished units of others that it lacks; return it.

    Chunks are copied as they are, the seal of a unit last, so that a merge that was stopped can be run again. A
    purifier that several stores were asked about keeps its first row.

    Raises
    ------
    ValueError
        Before anything is written: where a store is damaged; where stores answer different questions under one
        label, hold different purifiers under one name, or say different things of one unit.
    """
    home, stores = place(target), [place(source) for source in sources]
    refuse_damage(home, stores)
    found = [progress for store in stores for progress in progress_of(store) if progress.done]
    asked = {progress.plan.label: progress.plan.question for progress in found}
    stored = [one for one in progress_of(home) if one.done or asked.get(one.plan.label) == one.plan.question]
    refuse_other_questions([*stored, *found])
    rows_by_name([*stored, *found])
    gathered = _gathered(home, stored, found)
    refuse_other_layouts(gathered)
    refuse_conflicts(gathered)
    for one in gathered:
        with named_failures(one.target.segment):
            create(home, one.target.plan)
            _fill(one)
    return home


def _gathered(home: Place, stored: list[Progress], found: list[Progress]) -> list[Gathered]:
    """Return every row of the merged store that gets something, with the rows that it gets it from."""
    segments, placed, rows = list(stored), dict[tuple[str, str], Holder](), dict[tuple[str, str], Gathered]()
    for progress in stored:
        _take(progress, placed)
    for source in found:
        label = source.plan.label
        new = tuple(row for row in source.plan.rows if (label, row.purifier) not in placed)
        if new:
            number = sum(one.plan.label == label for one in segments)
            plan = source.plan if new == source.plan.rows else replace(source.plan, rows=new, number=number)
            segments.append(Progress(home / folder_name(label, to_json(plan)), plan, frozenset()))
            _take(segments[-1], placed)
        for place_, row in enumerate(source.plan.rows):
            key = label, row.purifier
            one = rows.get(key, Gathered(*placed[key], ()))
            rows[key] = replace(one, sources=(*one.sources, (source, place_)))
    return list(rows.values())


def _take(progress: Progress, placed: dict[tuple[str, str], Holder]) -> None:
    """Note where a segment's purifiers have their rows, unless they have one already."""
    for place_, row in enumerate(progress.plan.rows):
        placed.setdefault((progress.plan.label, row.purifier), (progress, place_))


def _fill(gathered: Gathered) -> None:
    """Copy to a row what it lacks of every block that one of its sources has."""
    done = blocks_of((gathered.target, gathered.row))
    for source, row in gathered.sources:
        new = sorted(blocks_of((source, row)) - done)
        names = answered(source.segment) if new else []
        dims = {name: _arrayed(source.segment, gathered.target, name) for name in names}
        chunked = {name: along for name, along in dims.items() if len(along) > 1}
        for block in new:
            for name, along in {**chunked, SEAL: ["purifier", "block"]}.items():  # the seal last
                chunk = source.segment / name / chunk_name(along, row, block)
                _copy(chunk, gathered.target.segment / name / chunk_name(along, gathered.row, block))
        done |= set(new)


def _arrayed(segment: Place, target: Progress, name: str) -> list[str]:
    """Give a segment an array of another one where it has none, as long as its own plan; return the dimensions."""
    header = header_of(segment / name)
    dims = dims_of(header)
    if read(target.segment / name / FILE) is None:
        if len(dims) == 1:
            _copy(segment / name / LABELS, target.segment / name / LABELS)
            put(target.segment / name / FILE, header)
        else:
            found = json.loads(header)
            shape = [len(target.plan.rows), *found["shape"][1:]]
            put(target.segment / name / FILE, sealed_header({**found, "shape": shape}))
    return dims


def _copy(source: Place, target: Place) -> None:
    content = read(source)
    if content is None:
        msg = f"{source} has gone since this merge began. Merge again."
        raise FileNotFoundError(msg)
    put(target, content)
