"""Compression of attacks against the compression at which they would fail: who is robust, and how sharply."""

from textwrap import fill

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from purigeom.plot.calibration import wilson_interval
from purigeom.plot.facts import require, settings
from purigeom.plot.style import COLUMN, styled

ASKED = ("attacked-compression",)
BINS = 8
"""How many equally filled bins of the quotient the shares are of."""
_WHAT = "A figure of critical compression"
_NEEDED = ("attacked_compression", "critical_compression", "attack_failed")


def draw(results: xr.Dataset) -> Figure:
    """Draw attacked against critical compression per image, and the share of robust ones by the quotient of the two.

    A row per attack at its largest radius; all purifiers, draws and images are pooled. Images below the dashed diagonal
    are compressed enough that the boundary in no direction is reached. Bars are 95 % Wilson intervals, as if images
    were independent; a step at one would be a sharp threshold, a gentle rise is the fuzzy robustness of the paper.
    """
    require(results, _WHAT, *_NEEDED)
    attacks = settings(results["attacked_compression"], "attack")
    with styled():
        figure = Figure(figsize=(2 * COLUMN, 2.7 * len(attacks)))
        panels = figure.subplots(len(attacks), 2, squeeze=False)
        for (left, right), attack in zip(panels, attacks, strict=True):
            attacked, critical, robust = pooled(results, attack)
            _draw_images(left, attacked, critical, robust)
            _draw_shares(right, attacked / critical, robust)
            left.set_title(fill(attack, 40), fontsize=7)
    return figure


def pooled(results: xr.Dataset, attack: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return attacked compression, critical compression and whether the attack failed, where all three are known."""
    facts = results[list(_NEEDED)].sel(attack=attack)
    facts = facts.sel(radius=max(settings(facts["attacked_compression"], "radius")))
    attacked, critical, failed = (facts[name].astype(float).values.flatten() for name in _NEEDED)
    known = np.isfinite(attacked) & np.isfinite(critical) & np.isfinite(failed) & (critical > 0) & (attacked > 0)
    return attacked[known], critical[known], failed[known] == 1


def _draw_images(axes: Axes, attacked: np.ndarray, critical: np.ndarray, robust: np.ndarray) -> None:
    for chosen, colour, name in ((robust, "C0", "robust"), (~robust, "C1", "non-robust")):
        axes.scatter(critical[chosen], attacked[chosen], 4, colour, alpha=0.4, linewidths=0, label=name)
    axes.axline((1, 1), slope=1, color="0.3", linewidth=0.8, linestyle="--")
    axes.set(xscale="log", yscale="log", xlabel="critical compression", ylabel="compression of the attack")
    axes.legend(loc="best", markerscale=2)


def _draw_shares(axes: Axes, quotient: np.ndarray, robust: np.ndarray) -> None:
    order = np.argsort(quotient)
    bins = [part for part in np.array_split(order, BINS) if len(part)]
    middle = np.array([np.median(quotient[part]) for part in bins])
    share = np.array([robust[part].mean() for part in bins])
    low, high = wilson_interval(share, np.array([len(part) for part in bins]))
    reach = np.maximum([share - low, high - share], 0)
    axes.errorbar(middle, share, reach, color="C2", marker="o", markersize=3, elinewidth=0.6)
    axes.axvline(1, color="0.3", linewidth=0.8, linestyle="--")
    axes.set(xscale="log", ylim=(-0.02, 1.02), xlabel="compression over critical compression", ylabel="share robust")
