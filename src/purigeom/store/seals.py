"""What the seals of a store say: what made every unit, and how long it took."""

import json
from collections import Counter
from typing import Any, TypeAlias

import numpy as np

from purigeom.store.arrays import opened
from purigeom.store.places import Place
from purigeom.store.presence import SEAL, sentences
from purigeom.store.reading import Progress, progress_of, refuse_damage

_Sealed: TypeAlias = tuple[int, int, int]
"""The place of a segment among all, a row and a block."""


def provenance(root: Place | str, most: int | None = None) -> list[dict[str, Any]]:
    """Return what made every finished unit: package versions, commit, device, seconds.

    Parameters
    ----------
    root
        A folder or URL.
    most
        How many seals to read of each question, where it has more: the same ones each time, of all its rows alike and
        of different blocks. A store in a bucket answers thousands of requests slowly.
    """
    found = progress_of(root)
    questions: dict[str, list[_Sealed]] = {}
    for place, progress in enumerate(found):
        questions.setdefault(progress.plan.label, []).extend((place, *unit) for unit in sorted(progress.done))
    chosen: dict[int, list[tuple[int, int]]] = {}
    for place, *unit in sorted(one for sealed in questions.values() for one in _sample(sealed, most)):
        chosen.setdefault(place, []).append((unit[0], unit[1]))
    return [made for place, units in chosen.items() for made in _said(found[place], units)]


def _sample(sealed: list[_Sealed], most: int | None) -> list[_Sealed]:
    """Return at most so many of a question's units: rows take turns, each with a block drawn among its own."""
    if most is None or len(sealed) <= most:
        return sealed
    turns, drawn = Counter[tuple[int, int]](), list[tuple[int, _Sealed]]()
    for chance in np.random.default_rng(0).permutation(len(sealed)):
        unit = sealed[chance]
        turns[unit[:2]] += 1
        drawn.append((turns[unit[:2]], unit))
    drawn.sort(key=lambda one: one[0])
    return [unit for _, unit in drawn[:most]]


def _said(progress: Progress, units: list[tuple[int, int]]) -> list[dict[str, Any]]:
    """Return what the seals of some finished units say."""
    plan = progress.plan
    refuse_damage(progress.segment / SEAL, plan, progress.done)
    with sentences(progress.segment):
        rows, blocks = zip(*units, strict=True)
        seals = np.asarray(opened(progress.segment / SEAL).vindex[list(rows), list(blocks)])
        return [
            {"question": plan.label, "purifier": plan.rows[row].purifier, "block": block, **json.loads(str(said))}
            for row, block, said in zip(rows, blocks, seals, strict=True)
        ]
