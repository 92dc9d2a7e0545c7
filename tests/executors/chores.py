"""Small units of work, some of which harm whoever works on them, and a driver to be killed."""

import errno
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from purigeom.executors import Dask, Executor, Lost, Processes


@dataclass(frozen=True)
class Chore:
    """A number to answer with, and what happens before: this process is killed, once or always, or told to go, once."""

    number: int
    fate: Literal["", "once", "always", "go", "raise", "full"] = ""
    grave: Path | None = None


def work(chore: Chore) -> int:
    """Meet a chore's fate, and answer."""
    if chore.fate == "raise":
        msg = f"chore {chore.number} is bad"
        raise ValueError(msg)
    if chore.fate == "always" or (chore.fate and not chore.grave.exists()):
        if chore.grave:
            chore.grave.touch()
        os.kill(os.getpid(), signal.SIGUSR2 if chore.fate == "go" else signal.SIGKILL)
    return chore.number


def noted(chore: Chore) -> tuple[int, int]:
    """Answer with a chore's number and with how often anyone has begun a chore here."""
    with (chore.grave.parent / "diary").open("a") as diary:
        diary.write(f"{chore.number}\n")
    return work(chore), len((chore.grave.parent / "diary").read_text().splitlines())


def refused(chore: Chore) -> int | OSError:
    """Note a chore; answer it, or with what a full disk says."""
    with (chore.grave.parent / "diary").open("a") as diary:
        diary.write(f"{chore.number}\n")
    return OSError(errno.ENOSPC, "No space left on device") if chore.fate == "full" else chore.number


class Unreadable:
    """Something that can be sent, and not be read."""

    def __reduce__(self):
        return refuse, ()


def refuse() -> None:
    msg = "there is no such module here"
    raise ImportError(msg)


def sorted_out(executor: Executor, chores: list[Chore]) -> tuple[list[int], dict[int, str]]:
    """Return the answers of an executor in order, and why chores were lost, by their number."""
    outcomes = list(executor(work, chores))
    lost = {one.unit.number: one.why for one in outcomes if isinstance(one, Lost)}
    return sorted(one for one in outcomes if not isinstance(one, Lost)), lost


def linger(folder: Path | None) -> None:
    """Say who works here, and never end; where there is no folder, end at once."""
    if folder:
        (folder / str(os.getpid())).touch()
        time.sleep(600)


def workers_of(folder: Path, count: int, patience: float = 60) -> list[psutil.Process]:
    """Wait for so many workers to say that they work; return their processes."""
    until = time.monotonic() + patience
    while len(list(folder.iterdir())) < count:
        assert time.monotonic() < until, "the workers never began"
        time.sleep(0.02)
    return [psutil.Process(int(path.name)) for path in folder.iterdir()]


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs would ignore it
    drivers = {"processes": Processes(2), "dask": Dask(workers=1)}
    list(drivers[sys.argv[1]](linger, [Path(sys.argv[2])] * 4))
