"""How far purifiers put clean and perturbed images from the clean ones, against depth."""

from textwrap import fill

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from purigeom.plot.facts import bars, by_sampler, look, require, settings
from purigeom.plot.style import COLUMN, styled

ASKED = ("distances", "perturbed-distances", "attacked-distances")
_WHAT = "A figure of distances"
_MEASURES = {"l2": "l2_distance", "linf": "linf_distance", "ssim": "ssim"}


def draw(results: xr.Dataset) -> Figure:
    """Draw l2 and linf distance and SSIM to the clean image after (solid) and before purification (dashed), by depth.

    Rows are how images were moved before, each at its largest radius; the first row, where clean images were purified
    as they are, has nothing before. Bars are two standard errors over images.
    """
    require(results, _WHAT, *(f"perturbed_{name}" for name in _MEASURES))
    samplers = by_sampler(results, _WHAT, "perturbed_l2")
    still = [""] if all(name in results for name in _MEASURES.values()) else []
    kinds = [*still, *settings(results["perturbed_l2"], "displacement")]
    with styled():
        figure = Figure(figsize=(2 * COLUMN, 0.6 + 1.7 * len(kinds)))
        panels = figure.subplots(len(kinds), 3, sharex=True, sharey="col", squeeze=False)
        for row, kind in zip(panels, kinds, strict=True):
            for axes, measure in zip(row, _MEASURES, strict=True):
                for place, (name, purifiers) in enumerate(samplers.items()):
                    _draw_series(axes, purifiers, (measure, kind), look(place, name))
            row[0].set_ylabel(_words(results, kind), fontsize=7)
        for axes, title in zip(panels[0], ("l2 distance", "linf distance", "SSIM"), strict=True):
            axes.set_title(title)
        for axes in panels[-1]:
            axes.set_xlabel("depth")
        figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return figure


def _draw_series(axes: Axes, purifiers: xr.Dataset, what: tuple[str, str], style: dict[str, str]) -> None:
    measure, kind = what
    if not kind:
        bars(axes, "depth", purifiers[_MEASURES[measure]], style)
        return
    facts = purifiers[f"perturbed_{measure}"].sel(displacement=kind, drop=True)
    if not settings(facts, "radius"):
        return
    facts = facts.sel(radius=max(settings(facts, "radius")), drop=True)
    bars(axes, "depth", facts.sel(stage="after", drop=True), style)
    before = {"color": style["color"], "linestyle": "--", "linewidth": 0.7}
    bars(axes, "depth", facts.sel(stage="before", drop=True), before)


def _words(results: xr.Dataset, kind: str) -> str:
    if not kind:
        return "clean images"
    radius = max(settings(results["perturbed_l2"].sel(displacement=kind), "radius"))
    return fill(f"{kind}, radius {radius:g}", 24)
