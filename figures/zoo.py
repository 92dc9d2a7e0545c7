"""The tables of the zoo, and of what predictions said of it: `python -m figures.zoo [STORE] [FOLDER]`.

Reads the store of `analyses.zoo` unless another is given and the shipped calibrations of digits, measures nothing,
prints what `docs/zoo.md` quotes, and writes every table as Markdown, CSV and LaTeX.
"""

from pathlib import Path

from figures.script import given
from figures.tables import printed
from purigeom import store
from purigeom.prediction.files import load, shipped
from purigeom.tables.zoo import everyone, strangers, strangers_by_family

CALIBRATIONS = ("digits-linf-0.1", "digits-linf-0.2")


def main(root: Path, folder: Path) -> list[Path]:
    """Write and print every table; return the files."""
    results, written = store.load(root).load(), list[Path]()
    for name in CALIBRATIONS:
        calibration = load(shipped()[name])
        radius = calibration.attrs["radius"]
        tables = {
            "zoo": everyone(results, radius),
            "strangers": strangers(results, calibration),
            "strangers_by_family": strangers_by_family(results, calibration),
        }
        written += [file for kind, table in tables.items() for file in printed(table, folder, f"{kind}_{radius:g}")]
    return written


if __name__ == "__main__":
    main(*given("data_cache/zoo", "zoo"))
