"""Tables of many kinds of purifiers: what each does, and how near predictions came before any of them was known."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from purigeom.judging import unaware
from purigeom.means import estimate
from purigeom.prediction.strangers import covered, met, missed
from purigeom.prediction.table import UNIFORM, tabulated
from purigeom.tables.cells import ABSENT, cell
from purigeom.tables.writing import Table

SMALL = 0.25
"""Singular values below it count as small, as in arXiv 2505.22839."""


def everyone(results: xr.Dataset, radius: float, seconds: Mapping[str, float]) -> Table:
    """Return what every purifier does to clean images, to blind attacks and to those that look, at one linf radius.

    Adaptive is what survives all attacks at once. Images that a purifier broke are not among those counted. How many
    seconds an image took is given by purifier.
    """
    here = results.sel(radius=radius, method="nearest", drop=True)
    margins, values = here["anchor_margin"], results["singular_value"]
    columns = {
        "clean": (estimate((margins > 0).where(margins.notnull())), "%"),
        "non-adaptive": (estimate(unaware(here)["survived"]), "%"),
        "adaptive": (estimate(tabulated(results, radius)["survived"].rename(sample="image")), "%"),
        "compression": (estimate(here["compression_ratio"].sel(displacement=UNIFORM, drop=True)), ""),
        f"singular values below {SMALL}": (estimate((values < SMALL).where(values.notnull()).mean("mode")), "%"),
        "PSNR, dB": (estimate(results["psnr"]), ""),
        "SSIM": (estimate(results["ssim"]), ""),
    }
    measured = margins.notnull().any("draw").sum("image")
    rows = [
        (
            *(str(name), str(family), str(int(measured.sel(purifier=name)))),
            *(cell(found.sel(purifier=name), unit) for found, unit in columns.values()),
            f"{seconds[name]:.2g}" if name in seconds else ABSENT,
        )
        for name, family in zip(results["purifier"].values, results["family"].values, strict=True)
    ]
    heads = ("purifier", "family", "images", *columns, "seconds per image")
    return Table(f"Every purifier, linf {radius:g}", heads, tuple(rows))


def strangers(results: xr.Dataset, calibration: xr.Dataset) -> Table:
    """Return what a calibration said of purifiers that it never saw, and what attacks left of them."""
    found = met(tabulated(results, calibration.attrs["radius"]), calibration)
    told = zip(*(found[name].values for name in ("purifier", "family", "believed")), strict=True)
    numbers = zip(*(100 * found[name].values for name in ("predicted", "lower", "upper", "survival")), strict=True)
    rows = [
        (*map(str, who), f"{said:.1f} %", f"{low:.1f} to {high:.1f} %", f"{truth:.1f} %", f"{miss:+.1f}", inside)
        for who, (said, low, high, truth), miss, inside in zip(
            told, numbers, missed(found).values, np.where(covered(found), "yes", "no"), strict=True
        )
    ]
    columns = ("purifier", "family", "predictor", "predicted", "90 % interval", "survived", "miss, points", "covered")
    return Table(f"Strangers, linf {calibration.attrs['radius']:g}", columns, tuple(rows))


def strangers_by_family(results: xr.Dataset, calibration: xr.Dataset) -> Table:
    """Return by family how far those predictions were off, and how many intervals held the truth."""
    found = met(tabulated(results, calibration.attrs["radius"]), calibration)
    found = found.assign(off=abs(missed(found)), inside=("purifier", covered(found)))
    rows = [_family(name, part) for name, part in found.groupby("family")]
    columns = ("family", "purifiers", "mean absolute error, points", "covered")
    title = f"Strangers by family, linf {calibration.attrs['radius']:g}"
    return Table(title, columns, (*rows, _family("everyone", found)))


def _family(name: object, part: xr.Dataset) -> tuple[str, ...]:
    count, off = part.sizes["purifier"], float(part["off"].mean())
    return (
        str(name),
        str(count),
        f"{off:.1f}" if np.isfinite(off) else ABSENT,
        f"{int(part['inside'].sum())} of {count}",
    )
