"""Predictions for families that were not seen: `python -m figures.prediction [CALIBRATION] [FIGURE] [PREDICTOR]`.

Reads a calibration file, the shipped one of digits at linf radius 0.1 unless another is given, and saves PNG and PDF.
"""

import sys
from pathlib import Path

from purigeom.foresight import calibration_named
from purigeom.plot import calibration
from purigeom.plot.style import save
from purigeom.prediction.compared import BELIEVED, unseen


def main(name: str = "digits-linf-0.1", stem: str = "data_cache/figures/prediction", predictor: str = BELIEVED) -> None:
    """Draw measured survival over what a predictor says without having seen a purifier's family."""
    table = calibration_named(name)
    figure = calibration.draw(unseen(predictor, table))
    for path in save(figure, Path(stem)):
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
