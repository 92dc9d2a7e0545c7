"""Units of work done on this machine: in this process, or in worker processes of which any may die."""

import pickle
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from purigeom.executors.crew import Worker, death, heard, hiring, tell
from purigeom.executors.protocol import Answer, Lost, Unit, at_least, attempted
from purigeom.executors.worker import parcel

_STARTING = -1
"""The number of what a worker is busy with that has not said yet that it is there."""


def in_process(function: Callable[[Unit], Answer], units: Iterable[Unit]) -> Iterator[Answer | Lost[Unit]]:
    """Work through the units here, one after another."""
    for unit in units:
        yield attempted(function, unit)


@dataclass(frozen=True)
class Processes:
    """Spawn worker processes, each with its own share of threads, so that they do not fight for cores.

    Each has a place of its own too, from 0: what it is told to do on "cuda" worker k does on CUDA device k, counted
    round again from the first where there are more workers than devices. A worker holds one unit at a time. Where it
    dies another takes its place, and its unit is tried again after all others, up to `retries` times more. Workers end
    with the process that started them, however that ends.
    """

    workers: int
    threads: int = 1
    retries: int = 2

    def __post_init__(self) -> None:
        at_least(1, "Processes.workers", self.workers)
        at_least(1, "Processes.threads", self.threads)
        at_least(0, "Processes.retries", self.retries)

    def __call__(self, function: Callable[[Unit], Answer], units: Iterable[Unit]) -> Iterator[Answer | Lost[Unit]]:
        listed = list(units)
        parcel((function, listed), "Processes")
        left, deaths, held = deque(range(len(listed))), Counter[int](), dict[Worker, int]()
        with hiring(self.threads) as hire:
            for place in range(min(self.workers, len(listed))):
                held[hire(place)] = _STARTING
            while held:
                for worker, said in heard(held):
                    number = held.pop(worker)
                    if said is None:
                        why = self._given_up(worker, number, deaths)
                        if why:
                            yield Lost(listed[number], why)
                        elif number != _STARTING:
                            left.append(number)
                        if left:
                            held[hire(worker.place)] = _STARTING
                    else:
                        _hand_on(worker, function, listed, left, held)
                        if number != _STARTING:
                            answer, fault = pickle.loads(said)  # noqa: S301  from a process that this one started
                            yield Lost(listed[number], fault) if fault else answer
                        deaths[_STARTING] = 0

    def _given_up(self, worker: Worker, number: int, deaths: Counter[int]) -> str:
        """Count a death; return why a unit is not tried again, if it is not, and raise where no worker can start."""
        deaths[number] += 1
        if deaths[number] <= self.retries:
            return ""
        if number == _STARTING:
            msg = (
                f"No worker could be started: {death(worker, deaths[number])}. What was answered is stored. Look at "
                'what it wrote, and begin a script that starts workers with `if __name__ == "__main__":`.'
            )
            raise RuntimeError(msg)
        return death(worker, deaths[number])


def _hand_on(
    worker: Worker, function: Callable[[Unit], Answer], units: list[Unit], left: deque[int], held: dict[Worker, int]
) -> None:
    """Give a worker the next unit, or let it go where none is left."""
    if not left:
        worker.pipe.close()
        return
    held[worker] = left.popleft()
    tell(worker, function, units[held[worker]])
