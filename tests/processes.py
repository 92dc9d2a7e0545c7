"""Other processes that work on a store: forked from one that has imported everything and done nothing."""

import multiprocessing
from collections.abc import Callable, Iterable
from multiprocessing.context import ForkServerProcess
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import torch

from purigeom import tasks
from purigeom.answering import answer
from purigeom.sweep import Task, run

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["purigeom.sweep", "purigeom.store", "zarr", "xarray"])
IMAGES_PER_UNIT = 2


def started(function: Callable[..., None], *arguments: Any) -> ForkServerProcess:
    """Return a running process."""
    process = CONTEXT.Process(target=function, args=arguments, daemon=True)
    process.start()
    return process


def finished(processes: Iterable[ForkServerProcess]) -> list[int | None]:
    """Wait for processes; return their exit codes."""
    waited = list(processes)
    for process in waited:
        process.join(60)
    return [process.exitcode for process in waited]


def drive(asked: list[Task], root: Path, begun: Event, go: Event) -> None:
    """Say that this process is there; when told, run the tasks in small units."""
    torch.set_num_threads(1)
    tasks.IMAGES_PER_UNIT = IMAGES_PER_UNIT
    begun.set()
    go.wait(60)
    run(asked, root, quiet=True)


def answer_all(units: list[tasks.Unit], begun: Event, go: Event) -> None:
    """Say that this process is there; when told, answer the units."""
    torch.set_num_threads(1)
    begun.set()
    go.wait(60)
    for unit in units:
        answer(unit)


def put(key: Callable[[], str], queue: Any) -> None:
    """Send what a function returns here."""
    queue.put(key())
