"""How fast a store was filled, as its seals tell, and how long the rest of it will take."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from purigeom import store
from purigeom.store.places import Place

SEALS = 1024
"""How many seals of a question are read to know its pace; of more, a sample."""
_SPANS = ((86400, "days"), (3600, "h"), (60, "min"))


@dataclass(frozen=True)
class Pace:
    """Seconds per image of one question's finished units, by purifier."""

    purifiers: Mapping[str, tuple[float, ...]]

    def seconds(self, purifier: str, images: int) -> float | None:
        """Return how long images take, by the median of a purifier's units, else of all; nothing where none is."""
        known = self.purifiers.get(purifier) or [one for its in self.purifiers.values() for one in its]
        return statistics.median(known) * images if known else None


def paces(root: Place | str, device: str = "") -> dict[str, Pace]:
    """Return the pace of every question of a store that has finished units, of one device alone if it is named.

    Of a question with more than `SEALS` finished units, so many are looked at: the same ones each time, of all
    purifiers alike and of different blocks.
    """
    sizes: dict[tuple[str, str, int], int] = {}
    for progress in store.progress_of(root):
        for row, block in progress.done:
            sizes[progress.plan.label, progress.plan.rows[row].purifier, block] = images_in(progress.plan.places(block))
    found: dict[str, dict[str, tuple[float, ...]]] = {}
    for made in _provenance(root):
        label, purifier, block = (made[name] for name in ("question", "purifier", "block"))
        known = made["seconds"] > 0  # nothing is, where the clock was set back meanwhile
        if known and (label, purifier, block) in sizes and device in ("", made["device"]):
            its = found.setdefault(label, {})
            its[purifier] = (*its.get(purifier, ()), made["seconds"] / sizes[label, purifier, block])
    return {label: Pace(its) for label, its in found.items()}


def _provenance(root: Place | str) -> list[dict[str, Any]]:
    """Return what made the finished units of a store; raise ValueError where that cannot be read."""
    try:
        return store.provenance(root, SEALS)
    except (ValueError, RuntimeError) as error:  # what a damaged seal makes the codecs raise
        msg = f"How long units took cannot be read: {error}"
        raise ValueError(msg) from error


def rest(root: Place | str) -> list[str]:
    """Say of every question, and of the whole store, how much is done and how long the rest will take one worker."""
    questions: dict[str, list[store.Progress]] = {}
    for progress in store.progress_of(root):
        questions.setdefault(progress.plan.label, []).append(progress)
    done = {label: len(_answered(found)) for label, found in questions.items()}
    missing = {label: list(_missing(found)) for label, found in questions.items()}
    try:
        known = paces(root) if any(missing.values()) else {}
    except ValueError as error:
        return [str(error)]
    seconds = {label: [known.get(label, Pace({})).seconds(*unit) for unit in units] for label, units in missing.items()}
    lines = [f"{label}: {_rest(done[label], seconds[label])}" for label in questions]
    return [*lines, f"{root}: {_rest(sum(done.values()), [one for each in seconds.values() for one in each])}"]


def _rest(done: int, seconds: Sequence[float | None]) -> str:
    """Return how many units are done, and how long the missing ones take together."""
    said = f"{done} of {done + len(seconds)} units done"
    known = [one for one in seconds if one is not None]
    unknown = len(seconds) - len(known)
    if not seconds:
        return f"{said}, nothing is left"
    if not known:
        return f"{said}, how long the rest takes is unknown"
    more = f" and {unknown} units of which nothing is known" if unknown else ""
    return f"{said}, the rest takes about {lasting(sum(known))} with one worker{more}"


def _answered(found: Sequence[store.Progress]) -> set[tuple[str, int]]:
    """Return the finished units of a question's segments, by purifier and block."""
    return {(one.plan.rows[row].purifier, block) for one in found for row, block in one.done}


def _missing(found: Sequence[store.Progress]) -> Iterator[tuple[str, int]]:
    """Yield the purifier and number of images of missing units; those of a purifier in two segments once."""
    seen = _answered(found)
    for plan in [progress.plan for progress in found]:
        for name, block in [(row.purifier, block) for row in plan.rows for block in range(plan.blocks)]:
            if (name, block) not in seen:
                seen.add((name, block))
                yield name, images_in(plan.places(block))


def images_in(places: slice) -> int:
    """Return how many images there are from a place to another."""
    return int(places.stop - places.start)


def lasting(seconds: float) -> str:
    """Return a time in the largest unit of which there is one.

    Examples
    --------
    >>> lasting(0.041), lasting(90), lasting(400_000)
    ('0.041 s', '1.5 min', '4.6 days')
    """
    for size, unit in _SPANS:
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.2g} s"
