"""The tables of the zoo, and of what predictions said of it: `python -m figures.zoo [STORE] [FOLDER]`.

Reads the store of `analyses.zoo` unless another is given and the shipped calibrations of digits, measures nothing,
prints what `docs/zoo.md` and `docs/prediction.md` quote, and writes every table as Markdown, CSV and LaTeX.
"""

import statistics
from pathlib import Path

from figures.script import given
from figures.tables import printed
from purigeom import store
from purigeom.judging import looking
from purigeom.measurements.distances import Distances
from purigeom.pace import paces
from purigeom.prediction.files import load, shipped
from purigeom.prediction.strangers import met
from purigeom.prediction.table import tabulated
from purigeom.tables.strangers import companions, strangers, strangers_by_family, yardsticks
from purigeom.tables.zoo import everyone, overstated

TIMED = Distances.label
"""The question whose seconds per image are told: purified once, and compared."""
CALIBRATIONS = ("digits-linf-0.1", "digits-linf-0.2")


def main(root: Path, folder: Path) -> list[Path]:
    """Write and print every table; return the files."""
    results, written = store.load(root).load(), list[Path]()
    pace = paces(root)[TIMED]
    seconds = {name: statistics.median(its) for name, its in pace.purifiers.items()}
    for name in CALIBRATIONS:
        calibration = load(shipped()[name])
        radius = calibration.attrs["radius"]
        foretold = met(tabulated(looking(results), radius), calibration)
        tables = {
            "zoo": everyone(results, radius, seconds),
            "overstated": overstated(results, foretold),
            "companions": companions(results, foretold),
            "yardsticks": yardsticks(results, foretold, calibration),
            "strangers": strangers(foretold),
            "strangers_by_family": strangers_by_family(foretold),
        }
        written += [file for kind, table in tables.items() for file in printed(table, folder, f"{kind}_{radius:g}")]
    return written


if __name__ == "__main__":
    main(*given("data_cache/zoo", "zoo"))
