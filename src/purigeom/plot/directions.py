"""In which directions purifiers compress: along the data, across it, at random, and where they compress least."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from purigeom.plot.facts import bars, by_depth, by_sampler, require, usual_kind
from purigeom.plot.style import COLUMN, MARKERS, styled

ASKED = ("directions", "spectrum", "leading-spectrum", "compression")
_WHAT = "A figure of compression by direction"
_NEEDED = ("on_manifold_compression", "off_manifold_compression", "left_right_alignment")


def draw(results: xr.Dataset) -> Figure:
    """Draw compression by direction against depth, a panel per sampler, above alignment and eigenvalues.

    Where they are there, the leading singular value and the sampled compression of random displacements are drawn
    beside the compression along and across the data, and the magnitudes of eigenvalues against singular values.
    """
    require(results, _WHAT, *_NEEDED)
    samplers = by_sampler(results, _WHAT, *_NEEDED)
    leading = _leading(results)
    with styled():
        figure = Figure(figsize=(2 * COLUMN, 4.4))
        above, below = figure.subfigures(2, 1, squeeze=False)[:, 0]
        panels = above.subplots(1, len(samplers), sharex=True, sharey=True, squeeze=False)[0]
        for axes, (name, purifiers) in zip(panels, samplers.items(), strict=True):
            _draw_directions(axes, purifiers, leading)
            axes.set(title=name, xlabel="depth")
        panels[0].set(ylabel="compression (1: none)")
        panels[0].set_ylim(bottom=0)
        above.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
        eigenvalues = "eigenvalue_magnitude" in results and bool(leading)
        lower = below.subplots(1, 2 if eigenvalues else 1, squeeze=False)[0]
        _draw_alignment(lower[0], samplers)
        if eigenvalues:
            _draw_eigenvalues(lower[1], samplers, leading)
    return figure


def _leading(results: xr.Dataset) -> str:
    """Return the name of the variable that holds leading singular values; empty where none does."""
    return next((name for name in ("singular_value", "leading_singular_value") if name in results), "")


def _draw_directions(axes: Axes, purifiers: xr.Dataset, leading: str) -> None:
    """Draw one sampler's compression along, across and regardless of the data, all of the same images and draws."""
    same = purifiers["on_manifold_compression"].notnull()
    found = {
        "along the data": purifiers["on_manifold_compression"],
        "across the data": purifiers["off_manifold_compression"],
    }
    if leading:
        found = {"leading singular value": purifiers[leading].isel(mode=0, drop=True).where(same), **found}
    if "compression_ratio" in purifiers:
        ratios = purifiers["compression_ratio"]
        sampled = ratios.sel(displacement=usual_kind(ratios), drop=True).dropna("radius", how="all")
        found["random, smallest radius"] = sampled.isel(radius=sampled["radius"].values.argmin(), drop=True).where(same)
    looks: Mapping[str, Mapping[str, Any]] = {
        "leading singular value": {"color": "0.5", "linestyle": ":", "marker": "v"},
        "along the data": {"color": "C0", "marker": "o"},
        "across the data": {"color": "C1", "marker": "s"},
        "random, smallest radius": {"color": "C2", "linestyle": "--", "marker": "x"},
    }
    for name, facts in found.items():
        bars(axes, "depth", facts, {**looks[name], "label": name})


def _draw_alignment(axes: Axes, samplers: Mapping[str, xr.Dataset]) -> None:
    for place, (name, purifiers) in enumerate(samplers.items()):
        look = {"color": f"C{place % 6}", "marker": MARKERS[place % len(MARKERS)], "label": name}
        bars(axes, "depth", purifiers["left_right_alignment"], look)
    axes.set(xlabel="depth", ylabel="left-right alignment", ylim=(0, 1.03))
    axes.legend(loc="lower left")


def _draw_eigenvalues(axes: Axes, samplers: Mapping[str, xr.Dataset], leading: str) -> None:
    """Draw each mode's mean eigenvalue against its mean singular value; of a normal matrix they are equal."""
    highest = 0.0
    for place, (name, purifiers) in enumerate(samplers.items()):
        for _, _, purifier in by_depth(purifiers):
            known = purifier["eigenvalue_magnitude"]
            eigenvalues = known.mean(("draw", "image")).dropna("mode")
            values = purifier[leading].where(known.notnull()).mean(("draw", "image")).sel(mode=eigenvalues["mode"])
            colour, marker = f"C{place % 6}", MARKERS[place % len(MARKERS)]
            axes.plot(values, eigenvalues, color=colour, marker=marker, markersize=2.5, linewidth=0.5, label=name)
            highest = max(highest, float(np.nanmax(values)))
    axes.plot([0, highest], [0, highest], color="0.3", linewidth=0.8, linestyle=":")
    axes.set(xlabel="singular value, by mode", ylabel="magnitude of eigenvalue")
