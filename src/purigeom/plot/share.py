"""The share of directions that purifiers compress, against the depth to which they noise."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from purigeom.means import estimate
from purigeom.plot.facts import bars, by_sampler, one_setting, require
from purigeom.plot.spectrum import COMPRESSED
from purigeom.plot.style import COLUMN, MARKERS, styled

ASKED = ("spectrum", "leading-spectrum")
_WHAT = "A figure of the share below a threshold"


def draw(results: xr.Dataset) -> Figure:
    """Draw the share of singular values below the threshold against depth, a line per sampler.

    Exact singular values are counted where they are there, and estimated shares drawn otherwise. Faint wide bars
    lie between the least and the most that an estimated share can be, on average over images.
    """
    shares, threshold = _shares(results)
    with styled():
        figure = Figure(figsize=(1.3 * COLUMN, 2.6))
        axes = figure.subplots()
        for place, (name, purifiers) in enumerate(by_sampler(shares, _WHAT, "share").items()):
            look = {"color": f"C{place % 6}", "marker": MARKERS[place % len(MARKERS)], "label": name}
            bars(axes, "depth", purifiers["share"], look)
            if "least" in purifiers:
                _draw_bounds(axes, purifiers, f"C{place % 6}")
        axes.set(xlabel="depth", ylabel=f"share of singular values below {threshold:g}", ylim=(0, 1))
        axes.legend(loc="best")
    return figure


def _shares(results: xr.Dataset) -> tuple[xr.Dataset, float]:
    """Return `share`, and `least` and `most` where they are known, per purifier, draw and image; and the threshold."""
    if "singular_value" not in results:
        require(results, f"{_WHAT}, without 'singular_value',", "share_below")
    bounds = {"share": "share_below", "least": "share_least", "most": "share_most"}
    stored = {name: results[variable] for name, variable in bounds.items() if variable in results}
    threshold = COMPRESSED
    if "singular_value" not in results:
        threshold = float(stored["share"].dropna("threshold", how="all")["threshold"].values[0])
    elif stored:
        at = [value for value in stored["share"]["threshold"].values if np.isclose(value, threshold)]
        stored = {name: facts.sel(threshold=at) for name, facts in stored.items()} if at else {}
    shares = {name: one_setting(facts, _WHAT, "threshold") for name, facts in stored.items()}
    if "singular_value" in results:
        values = results["singular_value"]
        shares["share"] = (values < threshold).where(values.notnull()).mean("mode")
    return xr.Dataset(shares), threshold


def _draw_bounds(axes: Axes, purifiers: xr.Dataset, colour: str) -> None:
    least, most = (estimate(purifiers[name])["mean"] for name in ("least", "most"))
    axes.vlines(purifiers["depth"], least, most, color=colour, alpha=0.25, linewidth=5)
