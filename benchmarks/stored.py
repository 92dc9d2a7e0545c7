"""A store of many finished units, written as a sweep writes it, and how long it takes to open."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.figure import seconds
from purigeom import store
from purigeom.attacks.pgd import PGD
from purigeom.catalog import CLASSIFIERS
from purigeom.images import Digits
from purigeom.measurements.compression import Compression
from purigeom.measurements.distances import Distances
from purigeom.measurements.spectrum import Spectrum
from purigeom.measurements.survival import Survival
from purigeom.noise import Noise
from purigeom.protocols import Measurement
from purigeom.provenance import made_by
from purigeom.purifiers.gaussian import GaussianNoise
from purigeom.store.segment import write
from purigeom.tasks import Task, plan_units

IMAGES = Digits()[:8]
QUESTIONS: Sequence[Measurement] = (
    Compression((0.2,)),
    Distances(),
    Spectrum(),
    Survival(CLASSIFIERS["digits"], (0.2,), PGD(steps=2)),
)


def build(root: Path, units: int) -> None:
    """Fill a store with four questions to many purifiers; every purifier gets the first one's answers."""
    purifiers = [GaussianNoise(sigma=(place + 1) / units) for place in range(units // len(QUESTIONS))]
    tasks = [Task(f"noise {purifier.sigma}", purifier, ask, IMAGES) for purifier in purifiers for ask in QUESTIONS]
    batch = IMAGES.load()
    answers = {ask.label: ask(purifiers[0], batch, Noise(0, batch.image_ids)) for ask in QUESTIONS}
    for unit in plan_units(tasks, root, "cpu"):
        write(unit.segment, unit.row, unit.block, answers[unit.task.measurement.label], made_by("cpu"))


def open_seconds(root: str) -> tuple[float, float]:
    """Return how long opening a store takes, and then reading all of it."""
    opened = []
    opening = seconds(lambda: opened.append(store.load(Path(root))))
    return opening, seconds(opened[0].load)
