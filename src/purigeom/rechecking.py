"""Measure some of a store's answers again, and say where they are not what is stored."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from purigeom.answering import answered
from purigeom.identity import digest, recipe
from purigeom.rebuilding import rebuilt
from purigeom.store.arrays import opened
from purigeom.store.places import Place
from purigeom.store.reading import Progress, progress_of
from purigeom.tasks import Task, Unit

TOLERANCE = 1e-4
"""What other hardware or threads may change of a number, relative to the largest of its answer."""


@dataclass(frozen=True)
class Again:
    """One unit that was asked a second time, and what came of it.

    Parameters
    ----------
    question, purifier, block
        Which unit.
    problem
        How the answer is another than the stored one; nothing where it is the same.
    unasked
        Why nobody could be asked, which says nothing of what is stored; nothing where somebody was.
    """

    question: str
    purifier: str
    block: int
    problem: str = ""
    unasked: str = ""

    def __str__(self) -> str:
        outcome = self.problem or (f"not asked again: {self.unasked}" if self.unasked else "the same again")
        return f"{self.question} of {self.purifier}, block {self.block}: {outcome}"


def measured_again(
    root: Place | str, share: float, seed: int = 0, device: str = "cpu", known: Iterable[object] = ()
) -> Iterator[Again]:
    """Ask a random share of a store's finished units again, one at least, and yield what came of each.

    The tasks are built from their recipes, as data. What is no description of purigeom's own cannot be built, nor what
    has other weights or another version by now: it is taken from `known`, or else not asked.

    Parameters
    ----------
    root, share, seed, device
        The store, how much of it, which units, and where they are measured.
    known
        Purifiers, measurements and image sets of your own, which are found by their recipes.
    """
    if not 0 < share <= 1:
        msg = f"The share of a store that is measured again must be above 0 and at most 1; got {share!r}."
        raise ValueError(msg)
    units = [(progress, *place) for progress in progress_of(root) for place in sorted(progress.done)]
    if not units:
        msg = f"{root} holds no finished unit to measure again. Check the path, or run a measurement into it."
        raise ValueError(msg)
    count = max(1, round(share * len(units)))
    chosen = np.random.default_rng(seed).choice(len(units), count, replace=False)
    own = {digest(recipe(one)): one for one in known}
    for progress, row, block in (units[place] for place in sorted(chosen)):
        yield _again(progress, row, block, device, own)


def _again(progress: Progress, row: int, block: int, device: str, own: Mapping[str, Any]) -> Again:
    one = Again(progress.plan.label, progress.plan.rows[row].purifier, block)
    try:
        unit = _unit(progress, row, block, device, own)
    except ValueError as error:
        return replace(one, unasked=str(error))
    try:
        facts, _ = answered(unit)
        problem = "; ".join(_differences(progress, row, block, facts))
    except Exception as error:
        problem = f"has no answer any more ({type(error).__name__}: {error})"
    return replace(one, problem=problem)


def _unit(progress: Progress, row: int, block: int, device: str, own: Mapping[str, Any]) -> Unit:
    plan, question = progress.plan, progress.plan.question
    stored = (plan.rows[row].recipe, question.measurement, question.images)
    purifier, measurement, images = (own[key] if (key := digest(one)) in own else rebuilt(one) for one in stored)
    task = Task(plan.rows[row].purifier, purifier, measurement, images, question.seed, question.dtype)
    return Unit(task, progress.segment, row, block, plan.places(block), device, task.key)


def _differences(progress: Progress, row: int, block: int, facts: xr.Dataset) -> Iterator[str]:
    """Yield how an answer differs from the stored one, variable by variable."""
    places = progress.plan.places(block)
    for name, found in facts.data_vars.items():
        before = (slice(None),) * found.dims.index("image")
        region: tuple[int | slice, ...] = (row, *before, places)
        stored = np.asarray(opened(progress.segment / str(name))[region])
        if stored.shape != found.shape:
            yield f"{name} has the shape {found.shape}, stored is {stored.shape}"
        elif not _alike(stored.astype(float), found.values.astype(float)):
            off = np.nanmax(np.abs(stored.astype(float) - found.values.astype(float)))
            yield f"{name} differs by up to {off:.3g} from what is stored"


def _alike(stored: np.ndarray, found: np.ndarray) -> bool:
    finite = np.abs(stored[np.isfinite(stored)])
    scale = TOLERANCE * max(1e-12, finite.max(initial=0.0))
    return np.allclose(stored, found, rtol=0, atol=scale, equal_nan=True)
