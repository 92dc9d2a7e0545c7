"""How little it takes to fool the classifier at clean images, at anchors, and through the defence: distributions."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from purigeom.plot.facts import by_depth, by_sampler, columns, explain_depths, require, rising, settings
from purigeom.plot.style import styled

ASKED = ("minimal-perturbation",)
CLEAN = "clean image"
_WHAT = "A figure of minimal perturbations"


def draw(results: xr.Dataset) -> Figure:
    """Draw which share of images is fooled within a radius: at their anchors, shaded by depth, and as they are, dotted.

    Where the attack also went through the defence, that is the second row. A place that is itself classified wrong
    counts at radius zero, and one for which no radius was found stays above the curve.
    """
    require(results, _WHAT, "minimal_radius")
    samplers = by_sampler(results, _WHAT, "minimal_radius")
    places = settings(results["minimal_radius"], "place")
    rows = [place for place in places if place != CLEAN] or [CLEAN]
    radii = results["minimal_radius"].values
    end = float(radii[np.isfinite(radii)].max(initial=0)) or 1.0
    with styled():
        figure, panels = columns(samplers, len(rows), 0.5 + 1.9 * len(rows))
        for line, place in zip(panels, rows, strict=True):
            for axes, purifiers in zip(line, samplers.values(), strict=True):
                facts = purifiers["minimal_radius"]
                if CLEAN in places:
                    still = facts.sel(place=CLEAN).isel(draw=0).dropna("purifier", how="all")
                    look = {"color": "C1", "linestyle": ":", "label": CLEAN}
                    rising(axes, still.isel(purifier=slice(1)).values.flatten(), end, look)
                for depth, shade, purifier in by_depth(purifiers):
                    values = purifier["minimal_radius"].sel(place=place).values.flatten()
                    rising(axes, values, end, {"color": shade, "label": depth})
                axes.set(ylim=(0, 1.02), xlabel="radius")
            line[0].set_ylabel(f"share fooled at the {place}")
        explain_depths(figure, panels.flat)
    return figure
