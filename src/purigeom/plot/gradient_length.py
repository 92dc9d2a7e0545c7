"""How long the gradient through a purifier is, against the depth to which it noises."""

from collections.abc import Mapping
from typing import Any

import xarray as xr
from matplotlib.figure import Figure

from purigeom.plot.facts import by_sampler, require
from purigeom.plot.style import COLUMN, MARKERS, styled

ASKED = ("gradient-geometry",)
_WHAT = "A figure of the gradient's length"


def draw(results: xr.Dataset) -> Figure:
    """Draw what the purifier's pull makes of the length of the classifier's gradient, a line per sampler.

    Lines are medians over images and draws, bars reach from the lower to the upper quartile: lengths spread over powers
    of ten, where means show the longest alone. The dashed line parts gradients that grow from gradients that shrink.
    """
    require(results, _WHAT, "gradient_stretch")
    with styled():
        figure = Figure(figsize=(1.3 * COLUMN, 2.6))
        axes = figure.subplots()
        for place, (name, purifiers) in enumerate(by_sampler(results, _WHAT, "gradient_stretch").items()):
            quartiles = purifiers["gradient_stretch"].quantile([0.25, 0.5, 0.75], ("draw", "image"))
            lower, median, upper = quartiles.transpose("quantile", "purifier").values
            look: Mapping[str, Any] = {
                "color": f"C{place % 6}",
                "marker": MARKERS[place % len(MARKERS)],
                "label": name,
                "markersize": 3,
            }
            axes.errorbar(purifiers["depth"], median, yerr=[median - lower, upper - median], elinewidth=0.6, **look)
        axes.axhline(1, color="0.5", linewidth=0.7, linestyle="--")
        axes.set(xlabel="depth", ylabel="gradient before over behind the purifier", xscale="log", yscale="log")
        axes.legend(loc="best")
    return figure
