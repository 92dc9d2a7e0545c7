"""Predicted against measured survival: a calibration plot of purifiers that the prediction has not seen."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from purigeom.calibration import calibrate, held_out_predictions
from purigeom.plot.facts import require
from purigeom.plot.protocol import of_one_protocol
from purigeom.plot.style import COLUMN, MARKERS, styled

ASKED = ("compression", "survival")
_WHAT = "A calibration plot"
_QUANTILE = 1.96


def draw(table: xr.Dataset) -> Figure:
    """Draw measured over predicted survival, a point per purifier in the colour of its family, and the diagonal.

    Parameters
    ----------
    table
        Per purifier `predicted`, `lower`, `upper`, `survival`, `count` and the coordinate `family`, such as
        `held_out_predictions` returns; or results, whose sigmoid is then fitted with every purifier left out in turn.
        Bars up are 95 % Wilson intervals of the images; bars across the interval of the prediction.
    """
    if "predicted" not in table and "survived" in table:
        table = held_out_predictions(calibrate(of_one_protocol(table, _WHAT)))
    require(table, _WHAT, "predicted", "lower", "upper", "survival", "count", "family")
    with styled():
        figure = Figure(figsize=(COLUMN, COLUMN))
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color="0.5", linewidth=0.7, linestyle="--", zorder=0)
        families = table["family"].values.astype(str)
        for place, family in enumerate(dict.fromkeys(families)):
            chosen = table.isel(purifier=families == family)
            across, up = _reach(chosen["predicted"], chosen["lower"], chosen["upper"]), _binomial_reach(chosen)
            look = {"color": f"C{place % 6}", "fmt": MARKERS[place % len(MARKERS)], "label": family}
            axes.errorbar(chosen["predicted"], chosen["survival"], up, across, markersize=3.5, elinewidth=0.6, **look)
        axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal")
        axes.set_xlabel(_predicted_label(table))
        axes.set_ylabel("measured survival")
        axes.legend(loc="upper left")
    return figure


def wilson_interval(survival: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the 95 % interval of a share that was seen in `count` images (Wilson 1927).

    Examples
    --------
    >>> low, high = wilson_interval(np.array([0.0, 0.5]), np.array([100, 100]))
    >>> low.round(3), high.round(3)
    (array([0.   , 0.404]), array([0.037, 0.596]))
    """
    spread = _QUANTILE**2 / count
    centre = (survival + spread / 2) / (1 + spread)
    reach = np.sqrt(spread * (survival * (1 - survival) + spread / 4)) / (1 + spread)
    return np.clip(centre - reach, 0, 1), np.clip(centre + reach, 0, 1)


def _binomial_reach(table: xr.Dataset) -> np.ndarray:
    low, high = wilson_interval(table["survival"].values, table["count"].values)
    return _reach(table["survival"], low, high)


def _reach(middle: xr.DataArray, low: np.ndarray | xr.DataArray, high: np.ndarray | xr.DataArray) -> np.ndarray:
    """Return how far an interval reaches down and up from its point, which need not lie inside."""
    values = middle.values
    return np.maximum([values - np.asarray(low), np.asarray(high) - values], 0)


def _predicted_label(table: xr.Dataset) -> str:
    left, level = table.attrs.get("left_out"), table.attrs.get("level")
    label = "predicted survival" if left is None else f"survival predicted without the {left}"
    return label if level is None else f"{label}, {100 * level:.0f} % interval"
