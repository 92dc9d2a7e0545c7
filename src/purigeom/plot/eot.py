"""How near the mean gradient over other configurations comes to the configuration's own."""

import xarray as xr
from matplotlib.figure import Figure

from purigeom.plot.facts import bars, by_depth, by_sampler, columns, explain_depths, require
from purigeom.plot.style import styled

ASKED = ("gradient-geometry",)
_WHAT = "A figure of EOT gradients"


def draw(results: xr.Dataset) -> Figure:
    """Draw the cosine between EOT's gradient and a configuration's own, by the number of draws that EOT averages.

    Shaded by depth; bars are two standard errors over images. No draw of EOT's is the configuration itself.
    """
    require(results, _WHAT, "eot_cosine")
    samplers = by_sampler(results, _WHAT, "eot_cosine")
    with styled():
        figure, (panels,) = columns(samplers, 1, 2.4)
        for axes, purifiers in zip(panels, samplers.values(), strict=True):
            for depth, shade, purifier in by_depth(purifiers):
                cosine = purifier["eot_cosine"].rename(count="configurations")  # estimates have a count of their own
                bars(axes, "configurations", cosine, {"color": shade, "marker": "o", "label": depth})
            axes.set_xscale("log", base=2)
            axes.set_xlabel("configurations averaged")
        panels[0].set_ylabel("cosine with the own gradient")
        panels[0].set_ylim(top=1.02)
        explain_depths(figure, panels)
    return figure
