"""Tables of many kinds of purifiers: what each does, and how near predictions came before any of them was known."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from purigeom.judging import looking, unaware
from purigeom.means import estimate
from purigeom.plot.zoo import facts
from purigeom.prediction.table import UNIFORM, tabulated
from purigeom.tables.cells import ABSENT, cell
from purigeom.tables.writing import Table

SMALL = 0.25
"""Singular values below it count as small, as in arXiv 2505.22839."""
FALL = 0.25
"""Who loses a larger share of images once attacks look is told apart."""


def everyone(results: xr.Dataset, radius: float, seconds: Mapping[str, float]) -> Table:
    """Return what every purifier does to clean images, to blind attacks and to those that look, at one linf radius.

    Images that a purifier broke are not among those counted, nor for PSNR those that came back untouched. How many
    seconds an image took is given by purifier.
    """
    here = results.sel(radius=radius, method="nearest", drop=True)
    margins = here["anchor_margin"]
    columns = {
        "clean": (estimate((margins > 0).where(margins.notnull())), "%"),
        "non-adaptive": (estimate(unaware(here)["survived"]), "%"),
        "adaptive": (_survival(looking(results), radius), "%"),
        "worst of both": (_survival(results, radius), "%"),
        "compression": (estimate(here["compression_ratio"].sel(displacement=UNIFORM, drop=True)), ""),
        f"singular values below {SMALL}": (estimate(_small(results)), "%"),
        "PSNR, dB": (estimate(results["psnr"].where(np.isfinite(results["psnr"]))), ""),
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


def _survival(results: xr.Dataset, radius: float) -> xr.Dataset:
    return estimate(tabulated(results, radius)["survived"].rename(sample="image"))


def overstated(results: xr.Dataset, foretold: xr.Dataset) -> Table:
    """Return whose survival falls furthest once attacks look, and what was foretold of them without any attack.

    Told are purifiers that a blind attack finds more robust than no purifier at all.
    """
    radius = foretold.attrs["radius"]
    found = facts(results, radius)
    bare = float(found["blind"].sel(purifier="identity")) if "identity" in found["purifier"] else 0.0
    found = found.assign(fall=found["blind"] - found["adaptive"]).sortby("fall", ascending=False)
    told = foretold["predicted"].reindex_like(found["fall"])
    rows = [
        (str(name), *(_percent(one) for one in (blind, left, foretold)), f"{compression:.2f}")
        for name, blind, left, foretold, compression, fall in zip(
            found["purifier"].values,
            *(one.values for one in (found["blind"], found["adaptive"], told, found["compression"], found["fall"])),
            strict=True,
        )
        if fall >= FALL and blind > bare
    ]
    columns = ("purifier", "non-adaptive", "worst of both", "predicted", "compression")
    return Table(f"Robust while nobody looks, linf {radius:g}", columns, tuple(rows))


def _small(results: xr.Dataset) -> xr.DataArray:
    """Return which share of an image's singular values is small."""
    values = results["singular_value"]
    return (values < SMALL).where(values.notnull()).mean("mode")


def _percent(share: float) -> str:
    return f"{share:.1%}".replace("%", " %") if np.isfinite(share) else ABSENT
