"""Decision regions of pinned defences on planes through clean images."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from purigeom.plot.facts import require
from purigeom.plot.style import COLUMN, styled

ASKED = ("boundary-slice",)
PURIFIERS = 4
IMAGES = 4
"""The most purifiers and images that fit on a page."""
_WHAT = "A figure of slices"


def draw(results: xr.Dataset) -> Figure:
    """Draw the class a defence answers on planes along the attack (up) and across it (right), in l2.

    A row per purifier, spread over those sliced, and a column per image, in the first configuration. The clean image is
    the dot; the line bounds where the answer is right.
    """
    require(results, _WHAT, "slice_class", "slice_margin")
    kept = results[["slice_class", "slice_margin"]].isel(draw=0)
    for dim in ("purifier", "image", "along", "across"):
        kept = kept.dropna(dim, how="all", subset=["slice_class"])
    chosen = np.unique(np.linspace(0, kept.sizes["purifier"] - 1, PURIFIERS).round().astype(int))
    kept = kept.isel(purifier=chosen, image=slice(IMAGES))
    rows, wide = kept.sizes["purifier"], kept.sizes["image"]
    with styled():
        figure = Figure(figsize=(0.5 * COLUMN * wide + 0.5, 0.5 * COLUMN * rows + 0.4))
        panels = figure.subplots(rows, wide, sharex=True, sharey=True, squeeze=False)
        for line, purifier in zip(panels, kept["purifier"].values, strict=True):
            for axes, image in zip(line, kept["image"].values, strict=True):
                _draw_plane(axes, kept.sel(purifier=purifier, image=image))
                if line is panels[0]:
                    axes.set_title(f"image {image}", fontsize=7)
            line[0].set_ylabel(f"{purifier}\nalong the attack", fontsize=7)
        for axes in panels[-1]:
            axes.set_xlabel("across", fontsize=7)
    return figure


def _draw_plane(axes: Axes, plane: xr.Dataset) -> None:
    plane = plane.transpose("along", "across")
    up, right = plane["along"].values, plane["across"].values
    classes = np.ma.masked_invalid(plane["slice_class"].values.astype(float))
    axes.pcolormesh(right, up, classes % 10, cmap="tab10", vmin=-0.5, vmax=9.5, alpha=0.7, linewidth=0, rasterized=True)
    margin = np.ma.masked_invalid(plane["slice_margin"].values)
    if margin.count() and margin.min() < 0 < margin.max():
        axes.contour(right, up, margin, levels=[0], colors="black", linewidths=0.8)
    axes.plot(0, 0, color="black", marker="o", markersize=2)
    axes.set_aspect("equal")
    axes.grid(visible=False)
