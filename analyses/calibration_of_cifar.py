"""Facts that predictions on CIFAR-10 are calibrated with: `python -m analyses.calibration_of_cifar [STORE] [FOLDER]`.

The lean zoo before the repository's own classifier, 32 test images, linf radii 1/255 and 2/255, between which survival
varies (at 8/255 nothing survives). Forward passes in full precision; attacks search through networks in bfloat16, and
what they find is judged in full precision; they take 40 steps where there is no network. Otherwise as
`analyses.calibration_of_digits`. Stopped and started again, it goes on where it was.
"""

import sys
from pathlib import Path

from purigeom.catalog import CIFAR10_UNET, CLASSIFIERS
from purigeom.defence.gradients import FewerBits
from purigeom.executors import Executor, Processes
from purigeom.foresight import calibrations
from purigeom.images import Cifar
from purigeom.predict import Effort, study
from purigeom.sweep import Task, run
from purigeom.zoo import lean_zoo

RADII = (1 / 255, 2 / 255)
IMAGES = Cifar()[:32]
EFFORT = Effort(FewerBits(), patience=40)
STORE = Path("data_cache/calibration-cifar10")
SHIPPED = Path("src/purigeom/calibrations")


def tasks() -> list[Task]:
    """Return everything that is measured."""
    return study(lean_zoo(CIFAR10_UNET), IMAGES, CLASSIFIERS["cifar10"], RADII, EFFORT)


def main(root: Path = STORE, folder: Path = SHIPPED, executor: Executor = Processes(2)) -> None:  # noqa: B008  frozen
    """Measure what the store lacks, write a calibration per radius, and say how good its predictors are."""
    paths = {radius: folder / f"cifar10-linf-{round(255 * radius)}-255.npz" for radius in RADII}
    told = calibrations(run(tasks(), root, executor), CLASSIFIERS["cifar10"], IMAGES, paths)
    sys.stdout.write(f"{told}\n")


if __name__ == "__main__":
    main(*(Path(word) for word in sys.argv[1:]))
