"""The tables of the zoo, and of what predictions said of it: `python -m figures.zoo [STORE] [FOLDER]`.

Reads the store of `analyses.zoo` unless another is given and the shipped calibrations of digits, measures nothing,
prints what `docs/zoo.md` and `docs/prediction.md` quote, and writes every table as Markdown, CSV and LaTeX.
"""

from collections import defaultdict
from pathlib import Path

from figures.script import given
from figures.tables import printed
from purigeom import store
from purigeom.judging import looking
from purigeom.measurements.distances import Distances
from purigeom.prediction.files import load, shipped
from purigeom.prediction.strangers import met
from purigeom.prediction.table import tabulated
from purigeom.tables.strangers import companions, strangers, strangers_by_family, yardsticks
from purigeom.tables.zoo import everyone, overstated

TIMED = Distances.label
"""The question whose seconds are told."""
CALIBRATIONS = ("digits-linf-0.1", "digits-linf-0.2")


def main(root: Path, folder: Path) -> list[Path]:
    """Write and print every table; return the files."""
    results, written = store.load(root).load(), list[Path]()
    seconds = seconds_per_image(root)
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


def seconds_per_image(root: Path) -> dict[str, float]:
    """Return how long each purifier took for an image where distances were measured: purified once, and compared."""
    images = {progress.plan.label: len(progress.plan.image_ids) for progress in store.progress_of(root)}
    spent: dict[str, float] = defaultdict(float)
    for unit in store.provenance(root):
        if unit["question"] == TIMED:
            spent[unit["purifier"]] += unit["seconds"]
    return {name: seconds / images[TIMED] for name, seconds in spent.items()}


if __name__ == "__main__":
    main(*given("data_cache/zoo", "zoo"))
