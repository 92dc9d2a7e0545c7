"""What passes a purifier most easily, and what comes out of it strongest, as pictures."""

import numpy as np
import xarray as xr
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from purigeom.plot.facts import require
from purigeom.plot.style import COLUMN, styled

IMAGES = 4
PAIRS = 4
"""The most images, and pairs of singular vectors for each, that fit on a page."""
ASKED = ("singular-vectors",)
_WHAT = "A figure of singular vectors"
_SIDES = {"right_singular_vector": "in (right)", "left_singular_vector": "out (left)"}


def draw(results: xr.Dataset) -> Figure:
    """Draw the leading right singular vectors of a few images above the left ones, under their singular values.

    One purifier, in its first random configuration. Colours of one channel are symmetric about zero with the same
    limits in every panel; three channels are scaled alike, so that grey is zero.
    """
    kept = _kept(results)
    images, pairs = kept["image"].values, kept["pair"].values
    limit = max(float(np.abs(kept[side]).max()) for side in _SIDES)
    widths = [1.0] * len(pairs) + [0.4]  # after the pairs of every image, a gap
    with styled(), rc_context({"figure.constrained_layout.use": False}):
        figure = Figure(figsize=(2 * COLUMN, 1.2 if len(images) * len(pairs) > 8 else 2))
        grid = figure.add_gridspec(2, len(images) * len(widths) - 1, width_ratios=(widths * len(images))[:-1])
        grid.update(left=0.05, right=0.995, bottom=0.02, top=0.8, wspace=0.08, hspace=0.08)
        for line, (side, words) in enumerate(_SIDES.items()):
            for group, image in enumerate(images):
                for place, pair in enumerate(pairs):
                    axes = figure.add_subplot(grid[line, group * len(widths) + place])
                    _draw_vector(axes, kept[side].sel(image=image, pair=pair), limit)
                    if line == 0:
                        _entitle(axes, kept["pair_singular_value"].sel(image=image, pair=pair).item(), image, place)
                    if group == place == 0:
                        axes.set_ylabel(words, fontsize=6)
    return figure


def _entitle(axes: Axes, value: float, image: int, place: int) -> None:
    """Write the singular value above a panel, and above the first of an image which image it is."""
    axes.set_title(f"{value:.2f}", fontsize=6, pad=2)
    if place == 0:
        axes.annotate(f"image {image}", (0, 1), (0, 12), "axes fraction", "offset points", fontsize=7)


def _kept(results: xr.Dataset) -> xr.Dataset:
    """Return the vectors of one purifier, of so many images and pairs as fit."""
    names = [*_SIDES, "pair_singular_value"]
    require(results, _WHAT, *names)
    kept = results[names].isel(draw=0).dropna("purifier", how="all").dropna("image", how="all")
    if kept.sizes["purifier"] != 1:
        found = kept["purifier"].values.tolist()
        msg = f"{_WHAT} is of one purifier; these results hold {found}. Choose one with results.sel(purifier=[...])."
        raise ValueError(msg)
    return kept.isel(purifier=0, image=slice(IMAGES), pair=slice(PAIRS)).dropna("pair", how="all")


def _draw_vector(axes: Axes, vector: xr.DataArray, limit: float) -> None:
    pixels = vector.transpose("row", "column", "channel").values
    if pixels.shape[2] == 1:
        axes.imshow(pixels[..., 0], cmap="RdBu_r", vmin=-limit, vmax=limit)
    else:
        axes.imshow((0.5 + pixels / (2 * limit)).clip(0, 1))
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(visible=True, linewidth=0.4, color="0.6")
    axes.grid(visible=False)
