"""Robustness against compression: the sigmoid, its band, and a point with error bars per purifier."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from purigeom.calibration import Calibration, calibrate, sampler
from purigeom.fit import curve
from purigeom.plot.style import COLUMN, MARKERS, styled


def draw(results: xr.Dataset) -> Figure:
    """Draw survival under attack, randomness pinned, over compression, and the fitted sigmoid."""
    calibration = calibrate(results)
    with styled():
        figure = Figure(figsize=(COLUMN, 2.8))
        axes = figure.subplots()
        _draw_curve(axes, calibration)
        _draw_purifiers(axes, calibration)
        axes.set(xlim=(0, 1.1), ylim=(-0.02, 1.02))
        axes.set_xlabel("compression ratio (mean over images and probes)")
        axes.set_ylabel("survival under attack, randomness pinned")
        axes.legend(loc="upper right")
    return figure


def _draw_curve(axes: Axes, calibration: Calibration) -> None:
    grid = np.linspace(0, 1.1, 200)
    mean, low, high = curve(calibration.fit, grid)
    axes.plot(grid, mean, color="0.3", zorder=1)
    axes.fill_between(grid, low, high, color="0.3", alpha=0.15, linewidth=0, zorder=0)


def _draw_purifiers(axes: Axes, calibration: Calibration) -> None:
    """Draw one series per sampler; purifiers whose gradients vanish are hollow and outside the fit."""
    points = calibration.points
    samplers = [sampler(recipe) for recipe in points["recipe"].values]
    for index, name in enumerate(dict.fromkeys(samplers)):
        chosen = points.isel(purifier=[place for place, found in enumerate(samplers) if found == name])
        fitted = bool(chosen["fitted"].all())
        axes.errorbar(
            chosen["compression"],
            chosen["survival"],
            xerr=2 * chosen["compression_standard_error"],
            yerr=2 * chosen["survival_standard_error"],
            fmt=MARKERS[index % len(MARKERS)],
            color=f"C{index % 6}",
            markerfacecolor=f"C{index % 6}" if fitted else "none",
            markersize=4,
            elinewidth=0.6,
            label=name if fitted else f"{name} (no gradient)",
        )
