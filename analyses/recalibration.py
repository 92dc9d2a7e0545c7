"""Calibrations of digits that know the zoo: `python -m analyses.recalibration [STORE] [FOLDER]`.

The purifiers of `digits-linf-0.1` and `digits-linf-0.2`, on their first 64 digits, and beside them those of the store
of `analyses.zoo` that are of kinds which these never saw. The older two are left as they are: `python -m figures.zoo`
says what they foretold. The blind attack counts for neither. Measures nothing; prints the errors of every predictor
with whole families left out, and of some with everything left out that shares a network.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import xarray as xr

from analyses.calibration_of_digits import SHIPPED
from analyses.zoo import IMAGES, RADII, STORE
from purigeom import store
from purigeom.fit.errors import errors
from purigeom.fit.held_out import held_out
from purigeom.foresight import kept
from purigeom.judging import looking
from purigeom.prediction.compared import BELIEVED, LEARNERS
from purigeom.prediction.files import load, shipped
from purigeom.prediction.strangers import joined
from purigeom.prediction.table import tabulated

SAID = (BELIEVED, "geometry", "constant")
"""Predictors of which it is said how they do without a purifier's network."""


def main(root: Path = STORE, folder: Path = SHIPPED) -> None:
    """Write a calibration per radius, and say how good its predictors are."""
    results = looking(store.load(root).load())
    for radius in RADII:
        known = load(shipped()[f"digits-linf-{radius:g}"])
        table = joined(known, tabulated(results, radius))
        attacks = sorted({*known.attrs["attacks"], *results["attack"].values.tolist()})
        table = table.assign_attrs(known.attrs | {"attacks": attacks, "images": repr(IMAGES)})
        sys.stdout.write(f"{kept(table, folder / f'digits-zoo-linf-{radius:g}.npz')}\n")
        sys.stdout.writelines(f"  {line}\n" for line in without_network(table))


def without_network(table: xr.Dataset) -> Iterator[str]:
    """Yield what predictors miss by where nothing of a purifier's network was seen, or of its family without one."""
    networks, families = (table[name].values.astype(str) for name in ("network", "family"))
    groups = np.where(np.isin(networks, ["", "None"]), families, networks)
    for name in SAID:
        yield f"{name:18} without its network {errors(held_out(LEARNERS[name], table, groups), table, groups).sentence}"


if __name__ == "__main__":
    main(*(Path(word) for word in sys.argv[1:]))
