"""Facts that predictions on digits are calibrated with: `python -m analyses.calibration_of_digits [STORE] [FOLDER]`.

Every purifier of the zoo, 128 held-out digits, linf radii 0.1 and 0.2: what forward passes tell, and who survives
Auto-PGD by cross-entropy and by margin through the exact gradients of the pinned purifier (the classifier's own
gradient where the purifier is piecewise constant). Stopped and started again, it goes on where it was.
"""

import sys
from pathlib import Path

from purigeom.catalog import CLASSIFIERS, DIGITS_UNET
from purigeom.executors import Executor, Processes
from purigeom.foresight import calibrations
from purigeom.images import Digits
from purigeom.predict import study
from purigeom.sweep import Task, run
from purigeom.zoo import zoo

RADII = (0.1, 0.2)
IMAGES = Digits()[:128]
STORE = Path("data_cache/calibration")
SHIPPED = Path("src/purigeom/calibrations")


def tasks() -> list[Task]:
    """Return everything that is measured."""
    return study(zoo(DIGITS_UNET), IMAGES, CLASSIFIERS["digits"], RADII)


def main(root: Path = STORE, folder: Path = SHIPPED, executor: Executor = Processes(2)) -> None:  # noqa: B008  frozen
    """Measure what the store lacks, write a calibration per radius, and say how good its predictors are."""
    paths = {radius: folder / f"digits-linf-{radius:g}.npz" for radius in RADII}
    told = calibrations(run(tasks(), root, executor), CLASSIFIERS["digits"], IMAGES, paths)
    sys.stdout.write(f"{told}\n")


if __name__ == "__main__":
    main(*(Path(word) for word in sys.argv[1:]))
