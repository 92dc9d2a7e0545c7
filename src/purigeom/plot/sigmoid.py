"""Survival against compression under every attack: points, the sigmoid where one can be fitted, and held-out errors."""

from textwrap import fill

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from purigeom.calibration import Calibration, calibrate, calibration_points, held_out_errors
from purigeom.plot.compression_robustness import draw_curve, draw_points
from purigeom.plot.facts import require, settings
from purigeom.plot.protocol import attack_in_words, of_one_protocol
from purigeom.plot.style import COLUMN, styled

ASKED = ("compression", "survival")
_WHAT = "A figure of sigmoids"


def draw(results: xr.Dataset) -> Figure:
    """Draw survival, judged in the configuration attacked, over compression and the fitted sigmoid, a panel per attack.

    Bars are two standard errors over images, the band holds 95 % of the mean. Errors are mean absolute ones in
    percentage points, in sample and with one sampler left out in turn, beside those of a constant.
    """
    require(results, _WHAT, "compression_ratio", "survived", "gradient_vanished")
    attacks = settings(results["survived"], "attack")
    wide = min(2, len(attacks))
    high = -(-len(attacks) // wide)
    with styled():
        figure = Figure(figsize=(2 * COLUMN, 2.7 * high))
        panels = figure.subplots(high, wide, sharex=True, sharey=True, squeeze=False)
        for axes, attack in zip(panels.flat, attacks, strict=False):
            _draw_attack(axes, of_one_protocol(results, _WHAT, attack))
            axes.legend(loc="upper right", fontsize=6)
        for axes in panels.flat[len(attacks) :]:
            axes.set_axis_off()
        for axes in panels.flat[len(attacks) - wide : len(attacks)]:
            axes.set_xlabel("compression ratio")
            axes.tick_params(labelbottom=True)
        for axes in panels[:, 0]:
            axes.set_ylabel("survival, randomness pinned")
    return figure


def _draw_attack(axes: Axes, chosen: xr.Dataset) -> None:
    axes.set_title(fill(attack_in_words(chosen), 48), fontsize=7)
    try:
        calibration = calibrate(chosen)
        said = _errors(calibration)
    except (ValueError, RuntimeError):
        draw_points(axes, calibration_points(chosen))
        said = "no sigmoid fits these points"
    else:
        draw_curve(axes, calibration)
        draw_points(axes, calibration.points)
    axes.annotate(said, (0.98, 0.58), xycoords="axes fraction", fontsize=6, ha="right", va="center", color="0.3")


def _errors(calibration: Calibration) -> str:
    """Return the errors in sample and without each sampler; those of the constant are in brackets."""
    found = held_out_errors(calibration).errors
    shown = {left: found[left] for left in ("in sample", "sampler") if left in found}
    words = {"in sample": "in sample", "sampler": "sampler left out"}
    told = [
        f"{words[left]}: {one['sigmoid'].everywhere.mean:.1f} (constant {one['constant'].everywhere.mean:.1f})"
        for left, one in shown.items()
    ]
    return "mean absolute error\n" + "\n".join(told)
