"""Robustness against compression: the sigmoid, its band, and a point with error bars per purifier."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from purigeom.calibration import CALIBRATED, Calibration, calibrate, sampler
from purigeom.fit import curve
from purigeom.plot.style import COLUMN, MARKERS, styled

ASKED = ("compression", "survival")


def draw(results: xr.Dataset, families: Sequence[str] = CALIBRATED) -> Figure:
    """Draw survival under attack, randomness pinned, over compression, and the sigmoid fitted to some families."""
    calibration = calibrate(results, families)
    with styled():
        figure = Figure(figsize=(1.3 * COLUMN, 3.2))
        axes = figure.subplots()
        draw_curve(axes, calibration)
        draw_points(axes, calibration.points)
        axes.set_xlabel("compression ratio (mean over images and probes)")
        axes.set_ylabel("survival under attack, randomness pinned")
        axes.legend(loc="upper center")
    return figure


def draw_points(axes: Axes, points: xr.Dataset) -> None:
    """Draw survival over compression, a series per sampler in the fit and hollow points beside their names outside."""
    points = points.isel(purifier=np.isfinite((points["survival"] + points["compression"]).values))
    _draw_samplers(axes, points.isel(purifier=points["fitted"].values))
    _draw_others(axes, points.isel(purifier=~points["fitted"].values))
    axes.set(xlim=(0, 1.25), ylim=(-0.06, 1.04))


def draw_curve(axes: Axes, calibration: Calibration) -> None:
    """Draw the fitted sigmoid and its 95 % band."""
    grid = np.linspace(0, 1.25, 200)
    mean, low, high = curve(calibration.fit, grid)
    axes.plot(grid, mean, color="0.3", zorder=1)
    axes.fill_between(grid, low, high, color="0.3", alpha=0.15, linewidth=0, zorder=0)


def _draw_samplers(axes: Axes, fitted: xr.Dataset) -> None:
    """Draw one series per sampler that the curve is fitted to."""
    samplers = [sampler(recipe) for recipe in fitted["recipe"].values]
    for index, name in enumerate(dict.fromkeys(samplers)):
        chosen = fitted.isel(purifier=[place for place, found in enumerate(samplers) if found == name])
        _bars(axes, chosen, color=f"C{index % 6}", fmt=MARKERS[index % len(MARKERS)], label=name)


def _draw_others(axes: Axes, others: xr.Dataset) -> None:
    """Draw the purifiers outside the fit hollow, each beside its name; those without a gradient say so."""
    if not others.sizes["purifier"]:
        return
    _bars(axes, others, color="0.45", fmt="o", label="outside the fit", markerfacecolor="none")
    for order, name in enumerate(others.sortby("compression")["purifier"].values):
        point = others.sel(purifier=name)
        note = f"{name} (no gradient)" if point["vanished"] >= 0.5 else str(name)
        place = (point["compression"].item(), point["survival"].item())
        left = place[0] > 0.9  # labels of the rightmost points go to their left
        shift = (-4 if left else 4, -9 if order % 2 else 6)
        axes.annotate(
            note, place, shift, textcoords="offset points", fontsize=5, color="0.35", ha="right" if left else "left"
        )


def _bars(axes: Axes, points: xr.Dataset, **look: Any) -> None:
    """Draw points with bars of two standard errors."""
    axes.errorbar(
        points["compression"],
        points["survival"],
        xerr=2 * points["compression_standard_error"],
        yerr=2 * points["survival_standard_error"],
        markersize=4,
        elinewidth=0.6,
        linestyle="none",
        **look,
    )
