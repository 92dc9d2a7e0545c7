"""Singular values of the purifiers' Jacobians: in how many directions each compresses, and how much."""

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from purigeom.plot.facts import by_depth, by_sampler, require
from purigeom.plot.style import COLUMN, styled

COMPRESSED = 0.25
"""Singular values below this count as compressed directions, as in arXiv 2505.22839."""
BAND = (0.25, 0.75)
"""The quantiles over images and draws between which a band lies."""
ASKED = ("spectrum",)
_WHAT = "A figure of spectra by depth"


def draw(results: xr.Dataset) -> Figure:
    """Draw singular values by mode, one panel per diffusion sampler, shaded by depth.

    Lines are medians over images and draws, and faint bands hold what lies between the quantiles of `BAND`.
    """
    require(results, _WHAT, "singular_value")
    samplers = by_sampler(results, _WHAT, "singular_value")
    with styled():
        figure = Figure(figsize=(2 * COLUMN, 2.4))
        panels = figure.subplots(1, len(samplers), sharex=True, sharey=True, squeeze=False)[0]
        for axes, (name, purifiers) in zip(panels, samplers.items(), strict=True):
            _draw_sampler(axes, purifiers)
            axes.set(title=name, xlabel="mode")
        panels[0].set_ylabel("singular value (median, quartiles)")
        panels[0].set_ylim(bottom=0)
    return figure


def _draw_sampler(axes: Axes, purifiers: xr.Dataset) -> None:
    for depth, shade, purifier in by_depth(purifiers):
        values = purifier["singular_value"].dropna("mode", how="all")
        low, middle, high = values.quantile([BAND[0], 0.5, BAND[1]], ("draw", "image"))
        axes.fill_between(values["mode"] + 1, low, high, color=shade, alpha=0.15, linewidth=0)
        axes.plot(values["mode"] + 1, middle, color=shade, label=depth)
    axes.axhline(COMPRESSED, color="C1", linewidth=0.8, linestyle=":")
    axes.legend(title="depth", loc="upper right")
