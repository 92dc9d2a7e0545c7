"""Kill a study at random moments, a worker of it or all of it, and count what is lost: nothing should be.

`python -m benchmarks.faults STORE` is the study, with two workers.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import xarray as xr

from benchmarks.figure import Figure, at_least, at_most
from purigeom import store
from purigeom.executors import Processes
from purigeom.images import Digits
from purigeom.measurements.compression import Compression
from purigeom.measurements.distances import Distances
from purigeom.purifiers.gaussian import GaussianNoise
from purigeom.sweep import run
from purigeom.tasks import Task

FAULTS = 50
PURIFIERS, IMAGES = 150, 256
LONGEST = 2.5
"""Seconds after which a fault comes at the latest, counted from the first worker."""


def study(purifiers: int = PURIFIERS, images: int = IMAGES) -> list[Task]:
    """Return two questions to many purifiers."""
    asked = [GaussianNoise((place + 1) / purifiers) for place in range(purifiers)]
    questions = (Compression((0.1, 0.2), probes=8), Distances())
    return [Task(f"noise {one.sigma:.4f}", one, question, Digits()[:images]) for one in asked for question in questions]


def faults_injected(count: int = FAULTS) -> Figure:
    """Return how many processes were killed."""
    drivers, workers, _, _, how = killed(count)
    return at_least("faults_injected", drivers + workers, count, how)


def answers_lost(count: int = FAULTS) -> Figure:
    """Return how many units the store lacks, or has with other facts than a study that nobody disturbed."""
    _, _, lost, _, how = killed(count)
    return at_most("answers_lost", lost, 0, how)


@cache
def killed(count: int) -> tuple[int, int, int, int, str]:
    """Kill and start again; return how many drivers and workers were killed, units lost, units, and how it was done."""
    moments = random.Random(0)  # noqa: S311  moments, no secrets
    counts = {"driver": 0, "worker": 0}
    with TemporaryDirectory() as folder:
        disturbed, undisturbed = Path(folder) / "disturbed", Path(folder) / "undisturbed"
        while sum(counts.values()) < count:
            whom = moments.choice(["driver", "worker"])
            counts[whom] += _struck(disturbed, whom, moments.uniform(0, LONGEST))
            if not _unfinished(disturbed):
                _forget(disturbed)
        run(study(), disturbed, Processes(2), quiet=True)
        run(study(), undisturbed, quiet=True)
        lost, units = _lost(disturbed, undisturbed)
    how = (
        f"{counts['driver']} times SIGKILL of the driver and {counts['worker']} times of one of its two workers, at "
        f"random moments of a study of {units} units that was started again each time; compared bit for bit with one "
        "that nobody disturbed"
    )
    return counts["driver"], counts["worker"], lost, units, how


def _struck(root: Path, whom: str, wait: float) -> int:
    """Start the study, kill somebody after a while, and end it; return whether there was anybody to kill."""
    command = [sys.executable, "-m", "benchmarks.faults", str(root)]
    driver = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)  # noqa: S603  our own
    while not _children(driver.pid) and driver.poll() is None:
        time.sleep(0.05)
    time.sleep(wait)
    workers = _children(driver.pid)
    victims = [driver.pid] if whom == "driver" else workers[:1]
    struck = 0
    for victim in victims if driver.poll() is None else []:
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
            struck = 1
    if whom == "worker":
        time.sleep(1.0)  # another takes its place and goes on
        driver.kill()
    driver.wait()
    return struck


def _children(process: int) -> list[int]:
    """Return the spawned workers of a process, as Linux lists them."""
    try:
        found = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        return [int(child) for child in found if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]
    except OSError:
        return []


def _unfinished(root: Path) -> bool:
    return (
        not root.exists()
        or any(progress.missing for progress in store.progress_of(root))
        or not any(store.progress_of(root))
    )


def _forget(root: Path) -> None:
    """Unseal a random half of a finished store, so that there is something to disturb again."""
    for progress in store.progress_of(root):
        for place, (row, block) in enumerate(sorted(progress.done)):
            if place % 2:
                (progress.segment / "made_by" / f"c.{row}.{block}").unlink()


def _lost(disturbed: Path, undisturbed: Path) -> tuple[int, int]:
    """Return how many units differ, and how many there are."""
    units = sum(len(progress.done) for progress in store.progress_of(undisturbed))
    missing = units - sum(len(progress.done) for progress in store.progress_of(disturbed))
    found, expected = (store.load(root).load() for root in (disturbed, undisturbed))
    same = expected.purifier.isin(found.purifier)
    wrong = [_differs(found.sel(purifier=name), expected.sel(purifier=name)) for name in expected.purifier[same].values]
    return missing + sum(wrong), units


def _differs(found: xr.Dataset, expected: xr.Dataset) -> bool:
    return not all(np.array_equal(found[name], expected[name], equal_nan=True) for name in expected)


def main(words: Sequence[str]) -> None:
    """Work through the study, as far as whoever kills lets it."""
    run(study(), words[0], Processes(2), quiet=True)


if __name__ == "__main__":
    main(sys.argv[1:])
