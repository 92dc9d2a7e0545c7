"""Who only withstands attacks that never looked: survival of blind and of adaptive attacks over compression."""

from itertools import product
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from purigeom.judging import unaware
from purigeom.plot.style import COLUMN, MARKERS, styled
from purigeom.prediction.table import UNIFORM, tabulated

ASKED = ("compression", "distances")
_COLOURS = 6
"""Of the style's cycle."""


def draw(results: xr.Dataset) -> Figure:
    """Draw survival over compression, a panel per radius: hollow of attacks that never saw the purifier, filled of all.

    A line joins the two of every purifier: its length is what an evaluation that never looked would have overstated.
    """
    blind = unaware(results)["survived"]
    radii = blind["radius"].values[blind.notnull().any([dim for dim in blind.dims if dim != "radius"])]
    with styled():
        figure = Figure(figsize=(2 * COLUMN, 4.4))
        panels = np.atleast_1d(figure.subplots(1, len(radii), sharey=True))
        looks = _looks(results["family"].values)
        for axes, radius in zip(panels, radii, strict=True):
            _draw_panel(axes, facts(results, float(radius)), looks)
            axes.set(title=f"linf {radius:g}", xlabel="compression ratio", ylim=(-0.04, 1.04))
        panels[0].set_ylabel("survival")
        handles = [Line2D([], [], linestyle="", label=family, **look) for family, look in looks.items()]
        figure.legend(handles=handles, loc="outside right upper")
    return figure


def facts(results: xr.Dataset, radius: float) -> xr.Dataset:
    """Return every purifier's compression, and what survives of its images: blind attacks, and all attacks."""
    here = results.sel(radius=radius, method="nearest", drop=True)
    ratios = here["compression_ratio"].sel(displacement=UNIFORM, drop=True)
    everyone = xr.Dataset({"blind": unaware(here)["survived"], "compression": ratios})
    means = everyone.map(lambda one: one.mean([dim for dim in one.dims if dim != "purifier"]))
    return means.assign(adaptive=tabulated(results, radius)["survival"], family=results["family"])


def _looks(families: np.ndarray) -> dict[str, dict[str, Any]]:
    """Return a colour and a marker for every family."""
    pairs = product(MARKERS, range(_COLOURS))
    names = sorted(set(families.astype(str)))
    return {
        name: {"color": f"C{colour}", "marker": marker} for name, (marker, colour) in zip(names, pairs, strict=False)
    }


def _draw_panel(axes: Axes, points: xr.Dataset, looks: dict[str, dict[str, Any]]) -> None:
    for name in points["purifier"].values:
        point = points.sel(purifier=name)
        look = looks[str(point["family"].item())]
        place = [point["compression"].item()] * 2
        heights = [point["blind"].item(), point["adaptive"].item()]
        axes.plot(place, heights, color=look["color"], linewidth=0.6, alpha=0.6)
        for height, fill in zip(heights, ("white", look["color"]), strict=True):
            axes.plot(place[:1], [height], **look, markersize=4, markerfacecolor=fill, linestyle="")
