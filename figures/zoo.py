"""The tables of the zoo, and of what predictions said of it: `python -m figures.zoo [STORE] [FOLDER]`.

Reads the store of `analyses.zoo` unless another is given and the shipped calibrations of digits, measures nothing,
prints what `docs/zoo.md` quotes, and writes every table as Markdown, CSV and LaTeX.
"""

import sys
from pathlib import Path

from figures.script import given
from figures.tables import FORMS
from purigeom import store
from purigeom.prediction.files import load, shipped
from purigeom.tables.writing import markdown
from purigeom.tables.zoo import everyone, strangers, strangers_by_family

CALIBRATIONS = ("digits-linf-0.1", "digits-linf-0.2")


def main(root: Path, folder: Path) -> list[Path]:
    """Write and print every table; return the files."""
    results, written = store.load(root).load(), []
    folder.mkdir(parents=True, exist_ok=True)
    for name in CALIBRATIONS:
        calibration = load(shipped()[name])
        radius = calibration.attrs["radius"]
        tables = {
            "zoo": everyone(results, radius),
            "strangers": strangers(results, calibration),
            "strangers_by_family": strangers_by_family(results, calibration),
        }
        for kind, table in tables.items():
            sys.stdout.write(f"{markdown(table)}\n\n")
            for ending, form in FORMS.items():
                path = folder / f"{kind}_{radius:g}{ending}"
                path.write_text(f"{form(table).rstrip()}\n")
                written.append(path)
    return written


if __name__ == "__main__":
    main(*given("data_cache/zoo", "zoo"))
