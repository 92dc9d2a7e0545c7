"""The processes of a study, one of which is killed: a driver with workers of its own, or one beside a Dask cluster.

Each is started in a session of its own, and none is left, however a blow ends.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

Process = subprocess.Popen[bytes]
KINDS = ("driver", "worker", "Dask scheduler", "Dask worker", "Dask driver")
"""Who may be killed."""
BEGUN = "begun"
"""What a driver says when it begins to work."""
PATIENCE = 60.0
"""Seconds in which a process must have begun, or have ended by itself."""
_AFTERWARDS = 1.0
"""Seconds that a study goes on after a worker's death, so that another takes its place."""
_PAUSE = 0.02


@dataclass(frozen=True)
class Running:
    """A study at work: its driver, the Dask scheduler and workers it has asked, and a file of all that it says."""

    driver: Process
    cluster: tuple[Process, ...]
    said: Path

    def words(self) -> str:
        """Return what the driver has said so far."""
        return self.said.read_text(errors="replace")

    def workers(self) -> list[int]:
        """Return the workers of the cluster, else those that the driver has spawned, as Linux lists them."""
        if self.cluster:
            return [process.pid for process in self.cluster[1:]]
        driver = self.driver.pid
        try:
            found = Path(f"/proc/{driver}/task/{driver}/children").read_text().split()
            return [int(child) for child in found if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]
        except OSError:
            return []


def struck(kind: str, study: Sequence[str], wait: float) -> float | None:
    """Start a study, kill one of its processes once it has worked for a while, and end the others.

    `study` are the words of its driver; the address of a Dask scheduler is added to them. Return how many seconds the
    driver took to end by itself: none but where it had lost its scheduler. Return nothing where the study was finished
    before there was anybody to kill; raise where a driver fails that nobody harmed, or does not end.
    """
    with running(study, dask=kind.startswith("Dask")) as found:
        time.sleep(wait)
        workers = found.workers()
        if found.driver.poll() is not None or not workers:
            _refuse_failure(found)
            return None
        victims = {"driver": found.driver.pid, "worker": workers[0]}
        victim = found.cluster[0].pid if kind == "Dask scheduler" else victims[kind.removeprefix("Dask ")]
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
        if kind == "Dask scheduler":
            return _ended(found)
        time.sleep(_AFTERWARDS if kind.endswith("worker") else 0)
    return 0.0


@contextmanager
def running(study: Sequence[str], *, dask: bool) -> Iterator[Running]:
    """Yield a study that is at work, on a Dask cluster or with workers of its own; at the end nothing is left of it."""
    with TemporaryDirectory() as folder, ExitStack() as stack:
        said = Path(folder) / "said"
        address, cluster = _cluster(stack, Path(folder)) if dask else ((), ())
        found = Running(_started(stack, [*study, *address], said), cluster, said)
        _until(
            lambda: found.driver.poll() is not None or (BEGUN in found.words() and bool(found.workers())),
            "the driver did not begin",
        )
        yield found


def _cluster(stack: ExitStack, folder: Path) -> tuple[tuple[str], tuple[Process, ...]]:
    """Start a Dask scheduler and two workers; return its address, and the scheduler first of all processes."""
    card = folder / "scheduler.json"
    asked = ["--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0", "--scheduler-file", str(card)]
    scheduler = _started(stack, ["-m", "distributed.cli.dask_scheduler", *asked])
    _until(card.exists, "the Dask scheduler did not begin")
    address = str(json.loads(card.read_text())["address"])
    asked = [address, "--no-nanny", "--nthreads", "1", "--no-dashboard", "--local-directory", str(folder)]
    workers = [_started(stack, ["-m", "distributed.cli.dask_worker", *asked]) for _ in range(2)]
    return (address,), (scheduler, *workers)


def _started(stack: ExitStack, words: Sequence[str], said: Path = Path(os.devnull)) -> Process:
    """Start Python in a session of its own, which is ended with the stack."""
    with said.open("wb") as there:
        process = subprocess.Popen(  # noqa: S603  our own words
            [sys.executable, *words], start_new_session=True, stdout=there, stderr=subprocess.STDOUT
        )
    stack.callback(_end, process)
    return process


def _end(process: Process) -> None:
    """Kill all of a session."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _until(holds: Callable[[], bool], fault: str) -> None:
    """Wait until something holds; raise with the fault where it takes too long."""
    ends = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > ends:
            msg = f"After {PATIENCE:.0f} s {fault}."
            raise TimeoutError(msg)
        time.sleep(_PAUSE)


def _ended(found: Running) -> float:
    """Wait until a driver has ended that lost its scheduler; return the seconds that it took."""
    since = time.monotonic()
    _until(lambda: found.driver.poll() is not None, "a driver had not ended whose Dask scheduler was killed")
    last = (found.words().splitlines() or [""])[-1]
    if found.driver.returncode and "Dask scheduler" not in last:
        msg = f"A driver that lost its Dask scheduler must say so; it said {last!r}."
        raise RuntimeError(msg)
    return time.monotonic() - since


def _refuse_failure(found: Running) -> None:
    """Raise where a driver ended by itself, and not because it was finished."""
    if found.driver.poll():
        msg = f"A driver failed that nobody had harmed: {found.words()[-2000:]}"
        raise RuntimeError(msg)
