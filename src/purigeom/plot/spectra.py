"""Singular values and magnitudes of eigenvalues of purifiers' Jacobians, and the share of compressed directions."""

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from purigeom.plot.facts import band, by_depth, by_sampler, columns, require
from purigeom.plot.spectrum import COMPRESSED
from purigeom.plot.style import styled

ASKED = ("spectrum", "directions")
_WHAT = "A figure of spectra"
_ROWS = {"singular_value": "singular value", "eigenvalue_magnitude": "magnitude of eigenvalue"}


def draw(results: xr.Dataset) -> Figure:
    """Draw singular values by mode and, where they are known, magnitudes of leading eigenvalues below, by depth.

    Lines are medians over images and draws in bands of the middle half. Legends tell which share of singular values,
    on average, lies below the dotted line at 0.25.
    """
    require(results, _WHAT, "singular_value")
    samplers = by_sampler(results, _WHAT, "singular_value")
    rows = [name for name in _ROWS if name in results]
    with styled():
        figure, panels = columns(samplers, len(rows), 0.5 + 1.9 * len(rows))
        for column, purifiers in zip(panels.T, samplers.values(), strict=True):
            for axes, name in zip(column, rows, strict=True):
                _draw_modes(axes, purifiers, name)
            column[0].axhline(COMPRESSED, color="C1", linewidth=0.8, linestyle=":")
            column[0].legend(title=f"depth (below {COMPRESSED:g})", loc="upper right")
            column[-1].set_xlabel("mode")
        for axes, name in zip(panels[:, 0], rows, strict=True):
            axes.set_ylabel(_ROWS[name])
            axes.set_ylim(bottom=0)
    return figure


def _draw_modes(axes: Axes, purifiers: xr.Dataset, name: str) -> None:
    counted = purifiers.assign_coords(mode=purifiers["mode"] + 1)
    for depth, shade, purifier in by_depth(counted):
        values = purifier[name]
        if values.notnull().any():
            below = (values < COMPRESSED).where(values.notnull()).mean().item()
            band(axes, "mode", values, {"color": shade, "label": f"{depth} ({100 * below:.0f} %)"})
