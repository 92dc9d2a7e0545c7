"""Whether the configuration or the input decides where purifiers move images: correlations of displacements."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from purigeom.means import estimate
from purigeom.plot.facts import by_sampler, columns, require, usual
from purigeom.plot.style import styled

ASKED = ("steadiness",)
DEPTH = 100
"""The histograms are of each sampler's depth nearest to this, that of arXiv 2505.22839 for CIFAR-10."""
BINS = np.linspace(-1, 1, 41)
_WHAT = "A figure of steadiness"
_KINDS = {
    "correlation_same_configuration": "same configuration",
    "correlation_same_input": "same input",
    "correlation_neither": "neither",
}


def draw(results: xr.Dataset) -> Figure:
    """Draw correlations of purified displacements with the same configuration, the same input, or neither in common.

    Above, histograms over images and draws at the depth nearest to 100; below, means at every depth, with bars of two
    standard errors over images. Starting points lie in the uniform ball where that was measured, at its largest radius.
    """
    require(results, _WHAT, *_KINDS)
    samplers = by_sampler(results, _WHAT, *_KINDS)
    chosen = {name: usual(results[name])[0] for name in _KINDS}
    with styled():
        figure, panels = columns(samplers, 2, 3.6)
        for (above, below), purifiers in zip(panels.T, samplers.values(), strict=True):
            facts = {name: chosen[name].sel(purifier=purifiers["purifier"].values) for name in _KINDS}
            _draw_histograms(above, facts)
            _draw_bars(below, facts)
        panels[0, 0].set_ylabel("share of images")
        panels[1, 0].set_ylabel("mean correlation")
        figure.legend(*panels[1, 0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return figure


def _draw_histograms(axes: Axes, facts: dict[str, xr.DataArray]) -> None:
    for place, correlation in enumerate(facts.values()):
        nearest = int(np.abs(correlation["depth"].values - DEPTH).argmin())
        values = correlation.isel(purifier=nearest).values.flatten()
        values = values[np.isfinite(values)]
        shares = np.full(len(values), 1 / max(len(values), 1))
        axes.hist(values, BINS.tolist(), weights=shares, histtype="stepfilled", color=f"C{place}", alpha=0.6)
        axes.set_xlabel(f"correlation at depth {correlation['depth'].values[nearest]:.0f}")


def _draw_bars(axes: Axes, facts: dict[str, xr.DataArray]) -> None:
    for place, (name, correlation) in enumerate(facts.items()):
        found = estimate(correlation)
        at = np.arange(correlation.sizes["purifier"]) + 0.28 * (place - 1)
        reach = 2 * found["standard_error"].fillna(0).values
        thin = {"elinewidth": 0.6}
        axes.bar(at, found["mean"], 0.26, yerr=reach, color=f"C{place}", label=_KINDS[name], error_kw=thin)
        depths = [f"{depth:.0f}" for depth in correlation["depth"].values]
        axes.set_xticks(range(len(depths)), depths)
    axes.set_xlabel("depth")
