"""Worker processes of this machine: how they are started, heard, and ended, and what they do."""

import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from purigeom.executors.protocol import sentence
from purigeom.executors.worker import settle

_SPAWN = multiprocessing.get_context("spawn")
_PATIENCE = 10.0
"""Seconds that a process gets to end by itself once nothing is left for it."""
_READY = b""


@dataclass(frozen=True, eq=False)
class Worker:
    """A process, its place among its siblings, and our end of the pipe to it."""

    place: int
    process: SpawnProcess
    pipe: Connection


@contextmanager
def hiring(threads: int) -> Iterator[Callable[[int], Worker]]:
    """Yield a function that starts a worker at a place; of all that it started none is left at the end."""
    hired: list[Worker] = []

    def hire(place: int) -> Worker:
        hired.append(_started(place, threads))
        return hired[-1]

    try:
        yield hire
    except BaseException:
        for worker in hired:
            worker.process.kill()
        raise
    finally:
        for worker in hired:
            worker.pipe.close()
        for worker in hired:
            _buried(worker)


def heard(workers: Iterable[Worker]) -> Iterator[tuple[Worker, bytes | None]]:
    """Wait until some workers have said something or died; yield them with what they said, or with nothing."""
    there = {worker.pipe: worker for worker in workers}
    for pipe in wait(list(there)):
        assert isinstance(pipe, Connection)
        try:
            said = pipe.recv_bytes()
        except (EOFError, OSError):
            said = None
        yield there[pipe], said


def tell(worker: Worker, function: Callable[..., object], unit: object) -> None:
    """Hand a unit to a worker; of one that has died meanwhile the pipe will tell."""
    message = pickle.dumps((function, unit))
    with suppress(OSError):
        worker.pipe.send_bytes(message)


def death(worker: Worker, times: int) -> str:
    """Return how the process of a worker ended that many times, by what is known of the last."""
    _buried(worker)
    code = worker.process.exitcode or 0
    often = "once" if times == 1 else f"{times} times"
    if code == -signal.SIGKILL:
        return f"its worker process was killed {often}, perhaps for memory"
    if code < 0:
        return f"its worker process was ended {often}, by {signal.Signals(-code).name}"
    return f"its worker process ended {often}, with exit code {code}"


def _started(place: int, threads: int) -> Worker:
    ours, theirs = _SPAWN.Pipe()
    process = _SPAWN.Process(target=_work, args=(theirs, threads, place), name=f"purigeom worker {place}", daemon=True)
    process.start()
    theirs.close()  # so that its death is the end of the pipe; no sibling inherits an end of it
    return Worker(place, process, ours)


def _buried(worker: Worker) -> None:
    worker.process.join(_PATIENCE)
    if worker.process.is_alive():
        worker.process.kill()
        worker.process.join()


def _work(pipe: Connection, threads: int, place: int) -> None:
    """Answer units until the pipe is closed, in a process that ends with the one that started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal: the driver decides
    threading.Thread(target=_end_with_driver, daemon=True).start()
    settle(threads, place)
    with suppress(EOFError, OSError):
        pipe.send_bytes(_READY)
        while True:
            pipe.send_bytes(_answered(pipe.recv_bytes()))


def _answered(message: bytes) -> bytes:
    """Return what is said of a unit: its answer, or why it could not even be read."""
    try:
        function, unit = pickle.loads(message)  # noqa: S301  from the process that started this one
        return pickle.dumps((function(unit), None))
    except Exception as error:
        return pickle.dumps((None, sentence(error)))


def _end_with_driver() -> None:
    """Wait for the end of the process that started this one, and end too: what is half done is nobody's any more."""
    driver = multiprocessing.parent_process()
    if driver:
        wait([driver.sentinel])
        os._exit(1)
