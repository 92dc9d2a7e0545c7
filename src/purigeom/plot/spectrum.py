"""Singular values of the purifiers' Jacobians: in how many directions each compresses, and how much."""

import xarray as xr
from matplotlib.figure import Figure

from purigeom.calibration import sampler
from purigeom.plot.style import COLUMN, styled

COMPRESSED = 0.25
"""Singular values below this count as compressed directions, as in arXiv 2505.22839."""


def draw(results: xr.Dataset) -> Figure:
    """Draw the median singular value over images by mode, one panel per diffusion sampler, shaded by depth."""
    diffusion = results.isel(purifier=results["family"].values == "diffusion")
    if not diffusion.sizes["purifier"]:
        msg = "A figure of spectra by depth needs diffusion purifiers; these results hold none."
        raise ValueError(msg)
    samplers = [sampler(recipe) for recipe in diffusion["recipe"].values]
    names = list(dict.fromkeys(samplers))
    with styled():
        figure = Figure(figsize=(2 * COLUMN, 2.4))
        panels = figure.subplots(1, len(names), sharex=True, sharey=True, squeeze=False)[0]
        for axes, name in zip(panels, names, strict=True):
            chosen = diffusion.isel(purifier=[place for place, found in enumerate(samplers) if found == name])
            values = chosen["singular_value"].median(("draw", "image"))
            depths = chosen["depth"].values
            for place, depth in enumerate(depths):
                shade = 0.15 + 0.7 * (1 - depth / depths.max())
                axes.plot(values["mode"] + 1, values[place], color=(shade,) * 3, label=f"{depth:.0f}")
            axes.axhline(COMPRESSED, color="C1", linewidth=0.8, linestyle=":")
            axes.set(title=name, xlabel="mode")
            axes.legend(title="depth", loc="upper right")
        panels[0].set_ylabel("median singular value")
    return figure
