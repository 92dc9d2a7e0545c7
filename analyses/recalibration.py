"""Calibrations of digits that know the zoo: `python -m analyses.recalibration [STORE] [FOLDER]`.

The purifiers of `digits-linf-0.1` and `digits-linf-0.2`, on their first 64 digits, and beside them those of the store
of `analyses.zoo` that are of kinds which these never saw. The older two are left as they are: `python -m figures.zoo`
says what they foretold. Measures nothing; prints the errors of every predictor with whole families left out.
"""

import sys
from pathlib import Path

from analyses.calibration_of_digits import SHIPPED
from analyses.zoo import IMAGES, RADII, STORE
from purigeom import store
from purigeom.foresight import kept
from purigeom.prediction.files import load, shipped
from purigeom.prediction.strangers import joined
from purigeom.prediction.table import tabulated


def main(root: Path = STORE, folder: Path = SHIPPED) -> None:
    """Write a calibration per radius, and say how good its predictors are."""
    results = store.load(root).load()
    for radius in RADII:
        known = load(shipped()[f"digits-linf-{radius:g}"])
        table = joined(known, tabulated(results, radius))
        attacks = sorted({*known.attrs["attacks"], *results["attack"].values.tolist()})
        table = table.assign_attrs(known.attrs | {"attacks": attacks, "images": repr(IMAGES)})
        sys.stdout.write(f"{kept(table, folder / f'digits-zoo-linf-{radius:g}.npz')}\n")


if __name__ == "__main__":
    main(*(Path(word) for word in sys.argv[1:]))
