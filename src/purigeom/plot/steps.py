"""What the number of reverse steps does at one depth: to compression, clean accuracy and survival."""

import re
from textwrap import fill

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from purigeom.calibration import sampler
from purigeom.means import estimate
from purigeom.plot.facts import look, require, usual
from purigeom.plot.protocol import attack_in_words, of_one_protocol
from purigeom.plot.style import COLUMN, styled

ASKED = ("compression", "survival", "anchors")
_WHAT = "A figure of steps"


def draw(results: xr.Dataset) -> Figure:
    """Draw compression, clean accuracy and survival against the number of reverse steps, by sampler and depth.

    Only depths of a sampler at which several numbers of steps were measured; bars are two standard errors over images.
    """
    require(results, _WHAT, "compression_ratio")
    series = by_steps(results)
    ratios, words = usual(results["compression_ratio"])
    facts = {f"compression ({words})": ratios}
    if "classified" in results:
        facts["clean accuracy"] = results["classified"]
    if "survived" in results:
        chosen = of_one_protocol(results, _WHAT)
        facts[f"survival ({attack_in_words(chosen)})"] = chosen["survived"].max(["attack", "radius"])
    with styled():
        figure = Figure(figsize=(2 * COLUMN, 2.6))
        panels = figure.subplots(1, len(facts), squeeze=False)[0]
        for axes, (label, one) in zip(panels, facts.items(), strict=True):
            found = estimate(one)
            for place, (name, places) in enumerate(series.items()):
                at = found.isel(purifier=list(places.values()))
                errors = 2 * at["standard_error"].fillna(0)
                axes.errorbar(list(places), at["mean"], errors, markersize=3, elinewidth=0.6, **look(place, name))
            axes.set_xscale("log", base=2)
            axes.set_xlabel("reverse steps")
            axes.set_ylabel(fill(label, 30), fontsize=7)
            axes.set_ylim(bottom=0)
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return figure


def by_steps(results: xr.Dataset) -> dict[str, dict[int, int]]:
    """Return, per sampler and depth measured at several numbers of steps, the purifier's place by these numbers."""
    found: dict[str, dict[int, int]] = {}
    for place, (recipe, depth) in enumerate(zip(results["recipe"].values, results["depth"].values, strict=True)):
        steps = re.search(r"\bsteps=(\d+)", str(recipe))
        if steps and np.isfinite(depth):
            found.setdefault(f"{sampler(str(recipe))} {depth:.0f}", {})[int(steps[1])] = place
    several = {name: dict(sorted(places.items())) for name, places in found.items() if len(places) > 1}
    if not several:
        msg = (
            f"{_WHAT} needs a sampler at one depth with several numbers of steps; these results hold none. "
            "Measure such purifiers into the store."
        )
        raise ValueError(msg)
    return several
