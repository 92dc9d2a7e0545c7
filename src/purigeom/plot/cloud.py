"""What purifiers make of a ball: how few directions explain the variance of its purified points."""

import xarray as xr
from matplotlib.figure import Figure

from purigeom.plot.facts import band, bars, by_depth, by_sampler, explain_depths, look, require, usual
from purigeom.plot.style import COLUMN, styled

ASKED = ("cloud",)
_WHAT = "A figure of clouds"


def draw(results: xr.Dataset) -> Figure:
    """Draw the variance that leading principal directions of a purified ball explain, by depth, and the ball's rank.

    Lines are medians over images and draws in bands of the middle half; ranks are means with two standard errors. The
    ball is uniform where that was measured, at its largest radius.
    """
    require(results, _WHAT, "cloud_variance", "cloud_rank")
    samplers = by_sampler(results, _WHAT, "cloud_variance")
    shares, _ = usual(results["cloud_variance"])
    ranks, words = usual(results["cloud_rank"])
    summed = shares.fillna(0).cumsum("mode").where(shares.notnull())
    explained = summed.dropna("mode", how="all").assign_coords(mode=summed.dropna("mode", how="all")["mode"] + 1)
    with styled():
        figure = Figure(figsize=(2 * COLUMN, 2.4))
        *panels, last = figure.subplots(1, len(samplers) + 1)
        for place, (axes, (name, purifiers)) in enumerate(zip(panels, samplers.items(), strict=True)):
            own = purifiers["purifier"].values
            for depth, shade, purifier in by_depth(purifiers):
                facts = explained.sel(purifier=purifier["purifier"].item())
                band(axes, "mode", facts, {"color": shade, "label": depth})
            bars(last, "depth", ranks.sel(purifier=own), look(place, name))
            axes.set(title=name, xlabel="directions", ylim=(0, 1.02))
        panels[0].set_ylabel(f"variance explained\n({words})", fontsize=7)
        last.set(xlabel="depth", ylabel="rank of the purified ball")
        last.set_ylim(bottom=0)
        last.legend(loc="best", fontsize=6)
        explain_depths(figure, panels)
    return figure
