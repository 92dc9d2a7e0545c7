"""How far perturbed images move towards their anchors, and whether they are classified alike."""

import xarray as xr
from matplotlib.figure import Figure

from purigeom.plot.facts import bars, by_sampler, columns, require, settings
from purigeom.plot.style import MARKERS, styled

ASKED = ("anchors",)
_WHAT = "A figure of approach"


def draw(results: xr.Dataset) -> Figure:
    """Draw what purification leaves of the distance to the anchor, and how often the anchor's class is kept, by depth.

    One colour per displacement and radius; bars are two standard errors over images. Below the dashed line perturbed
    images have moved towards the anchor.
    """
    require(results, _WHAT, "approach", "anchor_kept")
    samplers = by_sampler(results, _WHAT, "approach")
    facts = results["approach"]
    moves = [(kind, radius) for kind in settings(facts, "displacement") for radius in settings(facts, "radius")]
    moves = [(kind, radius) for kind, radius in moves if facts.sel(displacement=kind, radius=radius).notnull().any()]
    with styled():
        figure, panels = columns(samplers, 2, 3.8)
        for column, purifiers in zip(panels.T, samplers.values(), strict=True):
            for place, (kind, radius) in enumerate(moves):
                look = {"color": f"C{place % 6}", "marker": MARKERS[place % 8], "label": f"{kind}, {radius:g}"}
                for axes, name in zip(column, ("approach", "anchor_kept"), strict=True):
                    bars(axes, "depth", purifiers[name].sel(displacement=kind, radius=radius, drop=True), look)
            column[0].axhline(1, color="0.5", linewidth=0.7, linestyle="--")
            column[1].set_xlabel("depth")
        panels[0, 0].set_ylabel("distance to anchor,\nafter over before")
        panels[0, 0].set_ylim(bottom=0)
        panels[1, 0].set_ylabel("share classified\nas the anchor")
        figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return figure
