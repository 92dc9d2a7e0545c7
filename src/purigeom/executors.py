"""Where units of work are done: in this process, or in local worker processes."""

import multiprocessing
import pickle
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.queues import SimpleQueue
from typing import Protocol, TypeVar

Unit = TypeVar("Unit")
Answer = TypeVar("Answer")


class Executor(Protocol):
    """A way to apply a function to many units; each yields as it finishes, in any order."""

    def __call__(self, function: Callable[[Unit], Answer], units: Iterable[Unit]) -> Iterator[Answer]:
        """Yield the answer of every unit."""
        ...


def in_process(function: Callable[[Unit], Answer], units: Iterable[Unit]) -> Iterator[Answer]:
    """Work through the units here, one after another."""
    yield from map(function, units)


@dataclass(frozen=True)
class Processes:
    """Spawn worker processes, each with its own share of threads, so that they do not fight for cores.

    Each has a place of its own too, from 0: what it is told to do on "cuda" worker k does on CUDA device k, counted
    round again from the first where there are more workers than devices.
    """

    workers: int
    threads: int = 1

    def __call__(self, function: Callable[[Unit], Answer], units: Iterable[Unit]) -> Iterator[Answer]:
        portable = _portable(units)
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(self.workers, spawn, _settle, (self.threads, _places(self.workers))) as pool:
            try:
                pending = [pool.submit(function, unit) for unit in portable]
                for finished in as_completed(pending):
                    yield finished.result()
            except BrokenProcessPool as error:
                msg = (
                    "A worker process was killed, perhaps for memory. What was answered is stored; run again, with "
                    "fewer workers if it was memory."
                )
                raise RuntimeError(msg) from error
            finally:
                pool.shutdown(wait=False, cancel_futures=True)


def _portable(units: Iterable[Unit]) -> list[Unit]:
    """Return the units; raise before any worker starts where they cannot be sent to one."""
    listed = list(units)
    try:
        pickle.dumps(listed)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        msg = (
            f"Processes sends units to other processes, and these cannot be sent: {error}. Define functions and "
            "classes by name at the top of a file, or stay in this process."
        )
        raise TypeError(msg) from error
    return listed


def _places(workers: int) -> "SimpleQueue[int]":
    """Return a place for every worker, to be taken once."""
    places: SimpleQueue[int] = multiprocessing.get_context("spawn").SimpleQueue()
    for place in range(workers):
        places.put(place)
    return places


def _settle(threads: int, places: "SimpleQueue[int]") -> int:
    """Take a share of threads and a place that no other worker has; return the place."""
    import torch

    place = places.get()
    torch.set_num_threads(threads)
    if torch.cuda.is_available():
        torch.cuda.set_device(place % torch.cuda.device_count())
    return place
