"""What stores must agree on before they are merged."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any, TypeAlias

import numpy as np

from purigeom.store.arrays import LABELS, chunk_name, decoded, decoded_parts, dims_of, header_of
from purigeom.store.findings import seal_of
from purigeom.store.places import Place, read
from purigeom.store.plan import difference
from purigeom.store.presence import answered, segments, sentences
from purigeom.store.reading import Progress
from purigeom.store.verification import verify

Holder: TypeAlias = tuple[Progress, int]
"""A segment and one of its rows."""
SHOWN = 100
"""Letters of a long difference that are shown."""


@dataclass(frozen=True)
class Gathered:
    """A row of a merged store, which has its own answers, and rows of other stores that become part of it."""

    target: Progress
    row: int
    sources: tuple[Holder, ...]

    @property
    def holders(self) -> list[Holder]:
        """Return all rows that hold some of its answers."""
        rows = [(self.target, self.row), *self.sources]
        return [holder for holder in rows if blocks_of(holder)]


def refuse_damage(home: Place, stores: list[Place]) -> None:
    """Raise where a source is no store, or where not all of one can be read: damage must not spread."""
    for store in [*([home] if segments(home) else []), *stores]:
        if not segments(store):
            msg = f"{store} holds no segment of a purigeom store. Check the path."
            raise FileNotFoundError(msg)
        bad = [finding for finding in verify(store) if not finding.harmless]
        if bad:
            first = f"{bad[0].path}: {bad[0].problem}"
            msg = f"{store} will not be merged before it is whole: {first}. `purigeom check` tells more."
            raise ValueError(msg)


def refuse_other_questions(found: list[Progress]) -> None:
    """Raise where two segments answer different questions under one label."""
    asked: dict[str, Progress] = {}
    for progress in found:
        first = asked.setdefault(progress.plan.label, progress)
        if first.plan.question != progress.plan.question:
            msg = (
                f"{first.segment} and {progress.segment} answer different {progress.plan.label!r} questions and will "
                f"not be merged: {difference(first.plan.question, progress.plan.question)}. Keep them apart."
            )
            raise ValueError(msg)


def refuse_other_layouts(gathered: list[Gathered]) -> None:
    """Raise where rows that become one are stored in different ways, so that chunks cannot be copied as they are."""
    pairs = {(a[0].segment, b[0].segment): (a[0], b[0]) for one in gathered for a, b in combinations(one.holders, 2)}
    for first, second in pairs.values():
        with sentences(first.segment):
            left, right = _layout(first), _layout(second)
        other = next((name for name in sorted({*left, *right}) if left.get(name) != right.get(name)), None)
        if other:
            msg = (
                f"{first.segment} and {second.segment} store {other} in different ways and cannot be merged: "
                f"{_apart(left.get(other, {}), right.get(other, {}))}. Keep them apart, or measure anew in one of them."
            )
            raise ValueError(msg)


def _apart(left: dict[str, Any], right: dict[str, Any]) -> str:
    """Return the first thing of a layout that another one has not, or has otherwise."""
    name = next(name for name in sorted({*left, *right}) if left.get(name) != right.get(name))
    return f"{name} {_short(left.get(name))} against {_short(right.get(name))}"


def _short(thing: object) -> str:
    text = str(thing)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _layout(progress: Progress) -> dict[str, dict[str, Any]]:
    """Return all that decides what a unit's chunks are: its images, the labels, and headers but for the rows."""
    plan = progress.plan
    found: dict[str, dict[str, Any]] = {"its images": {"images_per_unit": plan.images_per_unit, "ids": plan.image_ids}}
    for name in answered(progress.segment):
        header = header_of(progress.segment / name)
        kept = {key: value for key, value in json.loads(header).items() if key != "attributes"}
        if len(dims_of(header)) == 1:
            chunk = read(progress.segment / name / LABELS) or b""
            kept["labels"] = decoded(header, LABELS, chunk).tolist()
        else:
            kept["shape"] = kept["shape"][1:]
        found[name] = kept
    return found


def refuse_conflicts(gathered: list[Gathered]) -> None:
    """Raise where two stores say different things of one unit."""
    for one in gathered:
        for first, second in combinations(one.holders, 2):
            for block in sorted(blocks_of(first) & blocks_of(second)):
                with sentences(first[0].segment):
                    name = next(_differing(first, second, block), None)
                if name:
                    raise ValueError(_conflict(one, name, first, second, block))


def blocks_of(holder: Holder) -> set[int]:
    """Return the finished blocks of a row."""
    progress, row = holder
    return {block for block in range(progress.plan.blocks) if (row, block) in progress.done}


def _conflict(gathered: Gathered, name: str, first: Holder, second: Holder, block: int) -> str:
    plan = gathered.target.plan
    seals = " or ".join(str(seal_of(progress.segment, row, block)) for progress, row in (first, second))
    return (
        f"{first[0].segment} and {second[0].segment} differ in {name!r} of {plan.rows[gathered.row].purifier!r}, block "
        f"{block} of images, and will not be merged. Delete the seal of the one you trust less, {seals}, and try again."
    )


def _differing(first: Holder, second: Holder, block: int) -> Iterator[str]:
    """Yield the variables of which two rows say different things in a block."""
    for name in answered(first[0].segment):
        header = header_of(first[0].segment / name)
        if len(dims_of(header)) > 1:
            (chunk, numbers), (other, others) = (_chunk(holder, name, block) for holder in (first, second))
            if chunk != other and not all(map(_same, numbers(), others())):
                yield name


def _chunk(holder: Holder, name: str, block: int) -> tuple[bytes, Callable[[], Iterator[np.ndarray[Any, Any]]]]:
    """Return a unit's chunk as it lies there, and how to read it part by part."""
    array = holder[0].segment / name
    header = header_of(array)
    file = chunk_name(dims_of(header), holder[1], block)
    chunk = read(array / file) or b""
    return chunk, lambda: decoded_parts(header, file, chunk)


def _same(first: np.ndarray[Any, Any], second: np.ndarray[Any, Any]) -> bool:
    """Return whether numbers are the same, bit for bit, but for the many ways to write NaN."""
    if first.dtype.kind != "f":
        return np.array_equal(first, second)
    bits = f"u{first.dtype.itemsize}"
    return bool(((first.view(bits) == second.view(bits)) | (np.isnan(first) & np.isnan(second))).all())
