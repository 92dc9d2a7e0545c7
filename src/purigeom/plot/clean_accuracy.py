"""What compression costs: the accuracy of purified clean images against compression."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from purigeom.calibration import sampler
from purigeom.means import estimate
from purigeom.plot.facts import look, require, usual
from purigeom.plot.style import COLUMN, styled

ASKED = ("compression", "anchors", "survival")
_WHAT = "A figure of clean accuracy"


def draw(results: xr.Dataset) -> Figure:
    """Draw how many purified clean images are classified right against mean compression, a point per purifier.

    Bars are two standard errors over images. Displacements are uniform where that was measured, of the largest radius.
    """
    require(results, _WHAT, "compression_ratio", "classified")
    ratios, words = usual(results["compression_ratio"])
    across, up = estimate(ratios), estimate(results["classified"])
    known = np.isfinite(across["mean"].values) & np.isfinite(up["mean"].values)
    kinds = np.array([sampler(str(recipe)) for recipe in results["recipe"].values])
    with styled():
        figure = Figure(figsize=(1.3 * COLUMN, 2.8))
        axes = figure.subplots()
        for place, kind in enumerate(dict.fromkeys(kinds[known].tolist())):
            points, heights = (one.isel(purifier=known & (kinds == kind)) for one in (across, up))
            tall, wide = (2 * one["standard_error"].fillna(0) for one in (heights, points))
            style = {"markersize": 4, "elinewidth": 0.6, "linestyle": "none", **look(place, kind)}
            axes.errorbar(points["mean"], heights["mean"], tall, wide, **style)
        axes.set(xlabel=f"compression ratio ({words})", ylabel="clean accuracy after purification", ylim=(0, 1.03))
        axes.set_xlim(left=0)
        figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper")
    return figure
