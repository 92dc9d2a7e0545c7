"""How much of spheres around clean images and anchors the classifier gets wrong."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from purigeom.plot.facts import bars, by_depth, by_sampler, columns, explain_depths, require, settings
from purigeom.plot.minimal_perturbation import CLEAN
from purigeom.plot.style import styled

ASKED = ("caps",)
_WHAT = "A figure of caps"


def draw(results: xr.Dataset) -> Figure:
    """Draw the misclassified share of spheres around anchors, shaded by depth, and around clean images, dotted.

    Means over images and draws, with bars of two standard errors over images, against the l2 radius of the sphere.
    """
    require(results, _WHAT, "misclassified_share")
    samplers = by_sampler(results, _WHAT, "misclassified_share")
    places = settings(results["misclassified_share"], "place")
    with styled():
        figure, (panels,) = columns(samplers, 1, 2.4)
        for axes, purifiers in zip(panels, samplers.values(), strict=True):
            if CLEAN in places:
                still = purifiers["misclassified_share"].sel(place=CLEAN, drop=True)
                known = int(np.argmax(still.notnull().any(["radius", "draw", "image"]).values))
                bars(axes, "radius", still.isel(purifier=known), {"color": "C1", "linestyle": ":", "label": CLEAN})
            for depth, shade, purifier in by_depth(purifiers) if "anchor" in places else ():
                around = purifier["misclassified_share"].sel(place="anchor", drop=True)
                bars(axes, "radius", around, {"color": shade, "marker": "o", "label": depth})
            axes.set_xlabel("l2 radius")
        panels[0].set_ylabel("misclassified share")
        panels[0].set_ylim(bottom=0)
        explain_depths(figure, panels, "anchors at depth")
    return figure
