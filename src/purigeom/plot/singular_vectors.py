"""What passes a purifier most easily, and what comes out of it strongest, as pictures."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from purigeom.plot.facts import require
from purigeom.plot.style import COLUMN, styled

IMAGES = 4
PAIRS = 4
"""The most images, and pairs of singular vectors for each, that fit on a page."""
_WHAT = "A figure of singular vectors"
_SIDES = {"right_singular_vector": "in (right)", "left_singular_vector": "out (left)"}


def draw(results: xr.Dataset) -> Figure:
    """Draw the leading right singular vectors of a few images above the left ones, under their singular values.

    One purifier, in its first random configuration. Colours of one channel are symmetric about zero with the same
    limits in every panel; three channels are scaled alike, so that grey is zero.
    """
    kept = _kept(results)
    images, pairs = kept.sizes["image"], kept.sizes["pair"]
    limit = max(float(np.abs(kept[side]).max()) for side in _SIDES)
    with styled():
        figure = Figure(figsize=(2 * COLUMN, 0.45 + 4 * COLUMN / max(images * pairs, 8)))
        blocks = figure.subfigures(1, images, squeeze=False)[0]
        for block, image in zip(blocks, kept["image"].values, strict=True):
            block.suptitle(f"image {image}", fontsize=7)
            panels = block.subplots(2, pairs, squeeze=False)
            for row, side in zip(panels, _SIDES, strict=True):
                for axes, pair in zip(row, kept["pair"].values, strict=True):
                    _draw_vector(axes, kept[side].sel(image=image, pair=pair), limit)
            for axes, value in zip(panels[0], kept["pair_singular_value"].sel(image=image).values, strict=True):
                axes.set_title(f"{value:.2f}", fontsize=6, pad=2)
            if block is blocks[0]:
                for row, words in zip(panels, _SIDES.values(), strict=True):
                    row[0].set_ylabel(words, fontsize=6)
    return figure


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
    axes.grid(visible=False)
