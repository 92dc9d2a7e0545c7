"""What tasks will cost before anything is measured into a store: by its rate if it has one, else by a few images."""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeVar

import torch
import xarray as xr

from purigeom import store
from purigeom.answering import exact_arithmetic, on_device
from purigeom.cost import counted
from purigeom.images import loaded
from purigeom.networks.quick import with_networks
from purigeom.networks.steady import Steady, SteadyClassifier, SteadyTrained
from purigeom.noise import Noise
from purigeom.pace import Pace, images_in, lasting, paces
from purigeom.store.places import Place
from purigeom.tasks import Task, Unit, foreseen

ONE_SECONDS, ALL_SECONDS = 20.0, 120.0
"""How long the first images of a task may take before nothing is estimated of it, and those of all tasks together."""
QUICK = 5.0
"""Images that took fewer seconds are measured a second time, which alone is timed."""
_STEADY = " Evaluations do not count the rows that only fill a network's fixed number up."
_SIZES = ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))

Number = TypeVar("Number", int, float)


@dataclass(frozen=True)
class Cost:
    """What a purifier's missing answers to a question take.

    Parameters
    ----------
    units, images
        How many are missing.
    seconds
        How long one worker measures them.
    paced
        Whether the store tells how long; else the first images do.
    evaluations, size
        Network evaluations, and bytes of the answers before compression; nothing where no image was measured.
    why, measured
        Why none was; how many were: one, or as many as its networks compute at a time.
    """

    units: int
    images: int
    seconds: float | None
    paced: bool
    evaluations: int | None = None
    size: int | None = None
    why: str = ""
    measured: int = 0


class _TooLongError(BaseException):
    """Raised in the middle of a measurement, which may catch every Exception."""


def told(tasks: list[Task], root: Place | str, device: str) -> str:
    """Return what tasks would cost, a line per question and purifier with all its settings; write nothing."""
    units, _ = foreseen(tasks, store.place(root), device)
    if not units:
        return f"{root} has all the answers: nothing is to be measured."
    known = paces(root, device)
    groups: dict[str, list[Cost]] = {}
    ends = time.monotonic() + ALL_SECONDS
    for mine in _by_task(units):
        label, name = mine[0].task.measurement.label, mine[0].task.purifier_name
        cost = _cost(mine, known.get(label, Pace({})), min(ONE_SECONDS, ends - time.monotonic()))
        groups.setdefault(f"{label} of {name.partition(' ')[0]}", []).append(cost)
    lines = [f"{group}: {_sentence(costs)}" for group, costs in groups.items()]
    everything = [cost for costs in groups.values() for cost in costs]
    return "\n".join([*lines, f"{root}: {_sentence(everything)}", _grounds(everything), "Nothing was written."])


def _by_task(units: Sequence[Unit]) -> list[list[Unit]]:
    tasks: dict[tuple[str, str], list[Unit]] = {}
    for unit in units:
        tasks.setdefault((unit.task.measurement.label, unit.task.purifier_name), []).append(unit)
    return list(tasks.values())


def _cost(units: Sequence[Unit], pace: Pace, most_seconds: float) -> Cost:
    """Return what the units of one task will cost."""
    images = sum(images_in(unit.places) for unit in units)
    seconds = pace.seconds(units[0].task.purifier_name, images)
    cost = Cost(len(units), images, seconds, seconds is not None)
    most = max(units, key=lambda unit: images_in(unit.places))
    few = min(rows_at_once(most.task.purifier, most.task.measurement), images_in(most.places))
    try:
        facts, took, evaluations = _first_images(most, few, most_seconds)
    except _TooLongError:
        return replace(cost, why=f"no image was measured within {lasting(max(0.0, most_seconds))}")
    except Exception as error:  # whatever a stranger's purifier raises is what measuring it would raise
        return replace(cost, why=f"{type(error).__name__}: {error}")
    size = sum(one.nbytes * images // few if "image" in one.dims else one.nbytes for one in facts.data_vars.values())
    if seconds is None:
        cost = replace(cost, seconds=took * images / few)
    return replace(cost, evaluations=round(evaluations * images / few), size=size, measured=few)


def rows_at_once(*described: object) -> int:
    """Return how many images take steady networks inside of descriptions no longer than one; one where none is."""
    found = [1]

    def note(part: object) -> None:
        if isinstance(part, Steady | SteadyTrained | SteadyClassifier):
            found.append(part.rows)

    with_networks(described, note)
    return max(found)


def _first_images(unit: Unit, count: int, most_seconds: float) -> tuple[xr.Dataset, float, int]:
    """Return the facts of a unit's first images, the seconds they took, and how often networks were asked."""
    task = unit.task
    with stopped_after(most_seconds), exact_arithmetic():
        first = slice(unit.places.start, unit.places.start + count)
        batch = on_device(loaded(task.images, first), unit.device, task.dtype)
        noise = Noise(task.seed, batch.image_ids)
        with torch.no_grad():  # loads the weights, for which no further images wait
            task.purifier.pin(noise, tuple(batch.images.shape[1:]))(batch.images)
        with counted() as evaluations:
            facts, seconds = _timed(lambda: task.measurement(task.purifier, batch, noise))
        if seconds < QUICK:  # the first time may have waited for libraries
            seconds = _timed(lambda: task.measurement(task.purifier, batch, noise))[1]
        return facts, seconds, evaluations.count


def _timed(measure: Callable[[], xr.Dataset]) -> tuple[xr.Dataset, float]:
    started = time.perf_counter()
    facts = measure()
    return facts, time.perf_counter() - started


@contextmanager
def stopped_after(seconds: float) -> Iterator[None]:
    """Stop what is inside once it took too long; where no alarm can ring, do not even begin."""
    here = threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer")
    if seconds <= 0 or not here:
        raise _TooLongError

    def ring(*_: object) -> None:
        raise _TooLongError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _sentence(costs: Sequence[Cost]) -> str:
    """Return how much is to be measured and what it takes, in one line."""
    units, images = sum(cost.units for cost in costs), sum(cost.images for cost in costs)
    parts = [
        f"{units} units of {images} images",
        _about("network evaluations", [cost.evaluations for cost in costs], "{:,} network evaluations".format),
        _about("time", [cost.seconds for cost in costs], lambda total: f"{lasting(total)} with one worker"),
        _about("size", [cost.size for cost in costs], lambda total: f"{_bytes(total)} of answers"),
    ]
    whys = dict.fromkeys(cost.why for cost in costs if cost.why)
    return ", ".join(parts) + (f" ({'; '.join(whys)})" if whys else "")


def _about(what: str, parts: Sequence[Number | None], spelled: Callable[[Number], str]) -> str:
    """Return the sum of what is known of tasks, and of how many nothing is."""
    known = [part for part in parts if part is not None]
    if not known:
        return f"{what} not estimated"
    total = spelled(sum(known[1:], known[0]))
    return f"about {total}" if len(known) == len(parts) else f"more than {total}"


def _grounds(costs: Sequence[Cost]) -> str:
    """Say what the numbers rest on."""
    most = max(cost.measured for cost in costs)
    several = f"up to {most} images of each task, as many as its networks compute at once", "those images", _STEADY
    first, images, more = several if most > 1 else ("one image of each task", "that image", "")
    paced = any(cost.paced for cost in costs)
    timed = any(not cost.paced and cost.seconds is not None for cost in costs)
    ways = [*(["the rate of the store"] if paced else []), *([images] if timed else [])]
    rest = f", times from {' or else '.join(ways)}" if ways else ""
    return f"Evaluations and bytes (before compression) are an estimate made from {first}{rest}.{more}"


def _bytes(count: int) -> str:
    return next((f"{count / size:.1f} {unit}" for size, unit in _SIZES if count >= size), f"{count} B")
