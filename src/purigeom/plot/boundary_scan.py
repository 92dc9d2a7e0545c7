"""The margin of a pinned defence along an attack's direction and a random one, and where it crosses zero."""

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from purigeom.plot.facts import band, by_depth, by_sampler, columns, explain_depths, require, rising, settings
from purigeom.plot.style import styled

ASKED = ("boundary-scan",)
_WHAT = "A figure of boundary scans"
_NEEDED = ("scanned_margin", "first_crossing", "second_crossing")


def draw(results: xr.Dataset) -> Figure:
    """Draw margins against l2 distance, a row per direction, above which share of images has crossed the boundary.

    Lines are medians over images and draws, bands hold the middle half, both shaded by depth. Below, along the first
    direction: the first crossing, to a wrong answer (solid), and the second, back to the right one (dashed).
    """
    require(results, _WHAT, *_NEEDED)
    samplers = by_sampler(results, _WHAT, "scanned_margin")
    directions = settings(results["scanned_margin"], "direction")
    end = float(results["distance"].values.max())
    with styled():
        figure, panels = columns(samplers, len(directions) + 1, 0.5 + 1.6 * (len(directions) + 1))
        for column, purifiers in zip(panels.T, samplers.values(), strict=True):
            for axes, direction in zip(column, directions, strict=False):
                _draw_margins(axes, purifiers["scanned_margin"].sel(direction=direction))
            _draw_crossings(column[-1], purifiers.sel(direction=directions[0]), end)
            column[-1].set_xlabel("l2 distance")
        for axes, direction in zip(panels[:, 0], directions, strict=False):
            axes.set_ylabel(f"margin, {direction} direction")
        panels[-1, 0].set_ylabel(f"share crossed, {directions[0]}")
        explain_depths(figure, panels.flat)
    return figure


def _draw_margins(axes: Axes, margins: xr.DataArray) -> None:
    for _, shade, purifier in by_depth(margins.to_dataset(name="margin")):
        band(axes, "distance", purifier["margin"], {"color": shade})
    axes.axhline(0, color="C1", linewidth=0.8, linestyle=":")


def _draw_crossings(axes: Axes, purifiers: xr.Dataset, end: float) -> None:
    """Draw shares of all images scanned: where the boundary was not crossed there is no distance, but an image."""
    for depth, shade, purifier in by_depth(purifiers):
        scanned = purifier["scanned_margin"].notnull().any("distance")
        for name, style in (("first_crossing", "-"), ("second_crossing", "--")):
            crossed = purifier[name].fillna(float("inf")).where(scanned)
            label = depth if style == "-" else None
            rising(axes, crossed.values.flatten(), end, {"color": shade, "linestyle": style, "label": label})
    axes.set_ylim(0, 1.02)
