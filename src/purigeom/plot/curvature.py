"""How far purifiers are from linear: compression at finite radii against the Jacobian's, and what sets them apart."""

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from purigeom.plot.facts import bars, by_depth, by_sampler, one_setting, require
from purigeom.plot.style import COLUMN, styled

ASKED = ("compression", "curvature")
_WHAT = "A figure of curvature"
_NEEDED = ("compression_ratio", "linear_ratio", "curvature")


def draw(results: xr.Dataset) -> Figure:
    """Draw compression (solid) and its linear part (dashed) by radius, above curvature, shaded by depth.

    One column per diffusion sampler. A displacement's curvature is what its Jacobian does not foretell of the
    purified displacement, over the displacement's length.
    """
    require(results, _WHAT, *_NEEDED)
    samplers = by_sampler(results, _WHAT, "curvature")
    with styled():
        figure = Figure(figsize=(2 * COLUMN, 3.8))
        panels = figure.subplots(2, len(samplers), sharex=True, sharey="row", squeeze=False)
        for column, (name, purifiers) in zip(panels.T, samplers.items(), strict=True):
            _draw_sampler(column[0], column[1], purifiers)
            column[0].set_title(name)
            column[1].set_xlabel("radius")
        panels[0, 0].set_ylabel("compression ratio")
        panels[1, 0].set_ylabel("curvature")
        panels[1, 0].legend(title="depth", loc="upper left", ncols=2)
        panels[0, 0].legend(*_key(panels[0, 0]), loc="lower left")
        for row in panels:
            row[0].set_ylim(bottom=0)
        panels[0, 0].set_xlim(left=0)
        panels[0, 0].locator_params("x", nbins=4)
    return figure


def _draw_sampler(above: Axes, below: Axes, purifiers: xr.Dataset) -> None:
    finite, linear, curved = (one_setting(purifiers[name], _WHAT, "displacement") for name in _NEEDED)
    for place, (depth, shade, _) in enumerate(by_depth(purifiers)):
        bars(above, "radius", finite.isel(purifier=place), {"color": shade, "marker": "o"})
        bars(above, "radius", linear.isel(purifier=place), {"color": shade, "linestyle": "--"})
        bars(below, "radius", curved.isel(purifier=place), {"color": shade, "marker": "o", "label": depth})


def _key(axes: Axes) -> tuple[list[object], list[str]]:
    """Return handles of the deepest purifier's two lines, and what they are."""
    finite, linear = axes.containers[-2:]
    return [finite, linear], ["of the displacement", "of its linear part"]
