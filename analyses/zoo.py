"""The table of arXiv 2501.16904 on digits, for every purifier of the catalogue: `python -m analyses.zoo [STORE]`.

64 held-out digits, linf radii 0.1 and 0.2: what forward passes tell, distances, spectra, who survives an attack on the
bare classifier that never looked at the purifier, and who survives Auto-PGD by cross-entropy and by margin through the
best gradient there is, randomness pinned. `python -m figures.zoo` makes tables of it. Stopped and started again, it
goes on where it was.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

from purigeom.attacks.adversary import Adversary
from purigeom.attacks.apgd import APGD
from purigeom.catalog import CIFAR10_PURIFIERS, CLASSIFIERS, PURIFIERS
from purigeom.defence.knowledge import Unaware
from purigeom.derivatives import UNCHECKED
from purigeom.executors import Executor, Processes
from purigeom.images import Digits
from purigeom.measurements.distances import Distances
from purigeom.measurements.spectrum import Spectrum
from purigeom.measurements.survival import Survival
from purigeom.predict import Effort, study
from purigeom.protocols import RandomMap, declaration
from purigeom.sweep import run
from purigeom.tasks import Task

RADII = (0.1, 0.2)
IMAGES = Digits()[:64]
WITH_SPECTRA = 8
"""How many of them are asked for their whole Jacobian."""
CLASSIFIER = CLASSIFIERS["digits"]
ON_DIGITS = {name: one for name, one in PURIFIERS.items() if name not in CIFAR10_PURIFIERS}
STORE = Path("data_cache/zoo")
EFFORT = Effort()
BLIND = Adversary(APGD(100), Unaware())


def tasks(purifiers: Mapping[str, RandomMap] = ON_DIGITS, images: Digits = IMAGES) -> list[Task]:
    """Return everything that is measured."""
    asked = [Distances(), Survival(CLASSIFIER, RADII, BLIND)]
    more = [Task(name, purifier, question, images) for question in asked for name, purifier in purifiers.items()]
    spectra = [
        Task(name, purifier, Spectrum(), images[:WITH_SPECTRA])
        for name, purifier in purifiers.items()
        if declaration(purifier).differentiability not in UNCHECKED
    ]
    return study(purifiers, images, CLASSIFIER, RADII, EFFORT) + more + spectra


def main(root: Path = STORE, executor: Executor = Processes(2)) -> None:  # noqa: B008  frozen
    """Measure what the store lacks, and say where it is."""
    sys.stdout.write(f"{run(tasks(), root, executor)}\n")


if __name__ == "__main__":
    main(*(Path(word) for word in sys.argv[1:]))
