"""Kill the processes of a study at random moments, one after another, and count what is lost: nothing should be.

`python -m benchmarks.faults STORE PURIFIERS IMAGES [ADDRESS]` is the study, with two workers or at a Dask scheduler.
"""

import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.fault_victims import BEGUN, KINDS, struck
from benchmarks.figure import Figure, at_least, at_most
from purigeom import store
from purigeom.executors import Dask, Processes
from purigeom.identity import digest
from purigeom.images import Digits
from purigeom.measurements.compression import Compression
from purigeom.measurements.distances import Distances
from purigeom.purifiers.gaussian import GaussianNoise
from purigeom.store.arrays import FILE, chunks_of, dims_of
from purigeom.store.findings import seal_of
from purigeom.store.places import read, remove
from purigeom.store.presence import answered
from purigeom.sweep import run
from purigeom.tasks import Task

FAULTS = 50
PURIFIERS, IMAGES = 150, 256
LONGEST = 5.0
"""Seconds after which a fault comes at the latest: half of them pass before the first answer."""


@dataclass(frozen=True)
class Toll:
    """How many processes of each kind were killed, and what that cost."""

    killed: Mapping[str, int]
    slowest: float
    """The most seconds after which a driver had ended that lost its Dask scheduler."""
    lost: int
    units: int
    damage: tuple[store.Finding, ...]

    @property
    def how(self) -> str:
        """Return how it came about."""
        whom = ", ".join(f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in self.killed.items() if count)
        alone = f" (a driver without scheduler ended by itself within {self.slowest:.1f} s)" if self.slowest else ""
        return (
            f"SIGKILL of {whom} at random moments of a study of {self.units} units with two workers, its own or a Dask "
            f"scheduler's, that was started again each time{alone}; values and keys compared bit for bit with a study "
            "that nobody disturbed"
        )


def study(purifiers: int = PURIFIERS, images: int = IMAGES) -> list[Task]:
    """Return two questions to many purifiers."""
    asked = [GaussianNoise((place + 1) / purifiers) for place in range(purifiers)]
    questions = (Compression((0.1, 0.2), probes=8), Distances())
    return [Task(f"noise {one.sigma:.4f}", one, question, Digits()[:images]) for one in asked for question in questions]


def faults_injected(count: int = FAULTS) -> Figure:
    """Return how many processes were killed."""
    toll = killed(count)
    return at_least("faults_injected", sum(toll.killed.values()), count, toll.how)


def answers_lost(count: int = FAULTS) -> Figure:
    """Return how many units the store lacks, or has with other facts than a study that nobody disturbed."""
    toll = killed(count)
    return at_most("answers_lost", toll.lost + len(toll.damage), 0, toll.how)


@cache
def killed(count: int, kinds: Sequence[str] = KINDS, purifiers: int = PURIFIERS, images: int = IMAGES) -> Toll:
    """Kill processes of some kinds in turn, each time of a study that goes on where the last stopped; compare."""
    moments, counts, slowest = random.Random(0), dict.fromkeys(kinds, 0), 0.0  # noqa: S311  moments, no secrets
    with TemporaryDirectory() as folder:
        disturbed, undisturbed = Path(folder) / "disturbed", Path(folder) / "undisturbed"
        words = ["-m", "benchmarks.faults", str(disturbed), str(purifiers), str(images)]
        while sum(counts.values()) < count:
            kind = kinds[sum(counts.values()) % len(kinds)]
            seconds = struck(kind, words, moments.uniform(0, LONGEST))
            if seconds is not None:
                counts[kind] += 1
                slowest = max(slowest, seconds)
            if _mostly_done(disturbed):
                forget(disturbed)
        for root in (disturbed, undisturbed):
            run(study(purifiers, images), root, quiet=True)
        damage = tuple(finding for finding in store.verify(disturbed) if not finding.harmless)
        return Toll(counts, slowest, *lost(disturbed, undisturbed), damage)


def _mostly_done(root: Path) -> bool:
    found = store.progress_of(root)
    return sum(len(progress.done) for progress in found) > sum(progress.missing for progress in found)


def forget(root: Path) -> None:
    """Unseal every second unit of a store, so that there is something to disturb again."""
    for progress in store.progress_of(root):
        for unit in sorted(progress.done)[1::2]:
            remove(seal_of(progress.segment, *unit))


def lost(disturbed: Path, undisturbed: Path) -> tuple[int, int]:
    """Return how many units of a store are missing or not the same bytes in another, and how many there are."""
    found, expected = answers(disturbed), answers(undisturbed)
    return sum(found.get(key) != answer for key, answer in expected.items()), len(expected)


def answers(root: Path) -> dict[tuple[str, int], dict[str, bytes | None]]:
    """Return every finished unit's files of a store but its seal, by the key of its task and its block."""
    found = {}
    for progress in store.progress_of(root):
        plan, segment = progress.plan, progress.segment
        headers = {name: read(segment / name / FILE) or b"" for name in answered(segment)}
        for row, block in progress.done:
            unit = [(row, block)]
            chunks = [f"{name}/{chunk}" for name in headers for chunk in chunks_of(dims_of(headers[name]), unit)]
            key = digest([plan.schema, vars(plan.question), plan.rows[row].recipe])
            found[key, block] = headers | {chunk: read(segment / chunk) for chunk in chunks}
    return found


def main(words: Sequence[str]) -> None:
    """Work through the study, as far as whoever kills lets it."""
    root, purifiers, images, *address = words
    sys.stdout.write(f"{BEGUN}\n")
    sys.stdout.flush()
    run(study(int(purifiers), int(images)), root, Dask(*address) if address else Processes(2), quiet=True)


if __name__ == "__main__":
    main(sys.argv[1:])
