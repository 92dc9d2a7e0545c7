"""Clean images above what every purifier makes of them."""

import numpy as np
import xarray as xr
from matplotlib import rc_context
from matplotlib.figure import Figure

from purigeom.plot.style import COLUMN, styled
from purigeom.protocols import Batch


def draw(results: xr.Dataset, clean: Batch) -> Figure:
    """Draw the images that were kept, one row per purifier, the clean ones first."""
    kept = results["purified_image"].isel(draw=0).dropna("image", how="all")
    places = [clean.image_ids.index(image_id) for image_id in kept["image"].values]
    first = np.moveaxis(clean.images[places].cpu().numpy(), 1, -1)
    rows = [("clean", first)]
    for name in kept["purifier"].values:
        images = kept.sel(purifier=name).transpose("image", "row", "column", "channel").values
        rows.append((str(name), images))
    with styled(), rc_context({"figure.constrained_layout.use": False}):
        figure = Figure(figsize=(1.2 * COLUMN, 0.36 * len(rows)))
        panels = figure.subplots(len(rows), len(first), squeeze=False)
        figure.subplots_adjust(left=0.25, right=0.99, bottom=0.01, top=0.99, wspace=0.05, hspace=0.05)
        for line, (name, images) in zip(panels, rows, strict=True):
            for axes, image in zip(line, images, strict=True):
                axes.imshow(image.clip(0, 1), cmap="gray", vmin=0, vmax=1)
                axes.set(xticks=[], yticks=[], frame_on=False)
            line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=6)
    return figure
