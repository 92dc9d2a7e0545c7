"""Tables of many kinds of purifiers: what each does, and how near predictions came before any of them was known."""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from scipy.stats import spearmanr

from purigeom.judging import unaware
from purigeom.means import estimate
from purigeom.plot.zoo import facts
from purigeom.prediction.strangers import covered, missed
from purigeom.prediction.table import UNIFORM, tabulated
from purigeom.tables.cells import ABSENT, cell
from purigeom.tables.writing import Table

SMALL = 0.25
"""Singular values below it count as small, as in arXiv 2505.22839."""
FALL = 0.25
"""Who loses a larger share of images once attacks look is told apart."""


def everyone(results: xr.Dataset, radius: float, seconds: Mapping[str, float]) -> Table:
    """Return what every purifier does to clean images, to blind attacks and to those that look, at one linf radius.

    Adaptive is what survives all attacks at once. Images that a purifier broke are not among those counted. How many
    seconds an image took is given by purifier.
    """
    here = results.sel(radius=radius, method="nearest", drop=True)
    margins = here["anchor_margin"]
    columns = {
        "clean": (estimate((margins > 0).where(margins.notnull())), "%"),
        "non-adaptive": (estimate(unaware(here)["survived"]), "%"),
        "adaptive": (estimate(tabulated(results, radius)["survived"].rename(sample="image")), "%"),
        "compression": (estimate(here["compression_ratio"].sel(displacement=UNIFORM, drop=True)), ""),
        f"singular values below {SMALL}": (estimate(_small(results)), "%"),
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


def overstated(results: xr.Dataset, foretold: xr.Dataset) -> Table:
    """Return whose survival falls furthest once attacks look, and what was foretold of them without any attack."""
    radius = foretold.attrs["radius"]
    found = facts(results, radius)
    found = found.assign(fall=found["blind"] - found["adaptive"]).sortby("fall", ascending=False)
    told = foretold["predicted"].reindex_like(found["fall"])
    rows = [
        (str(name), *(_percent(one) for one in (blind, left, foretold)), f"{compression:.2f}")
        for name, blind, left, foretold, compression, fall in zip(
            found["purifier"].values,
            *(one.values for one in (found["blind"], found["adaptive"], told, found["compression"], found["fall"])),
            strict=True,
        )
        if fall >= FALL
    ]
    columns = ("purifier", "non-adaptive", "adaptive", "predicted", "compression")
    return Table(f"Robust while nobody looks, linf {radius:g}", columns, tuple(rows))


def companions(results: xr.Dataset, foretold: xr.Dataset) -> Table:
    """Return how survival goes with what is known of a purifier: Spearman's correlations, and over how many purifiers.

    Predictions are of strangers alone.
    """
    radius = foretold.attrs["radius"]
    found, small = facts(results, radius), _small(results)
    known = {
        "compression": found["compression"],
        f"singular values below {SMALL}": small.mean([dim for dim in small.dims if dim != "purifier"]),
        "SSIM": results["ssim"].mean([dim for dim in results["ssim"].dims if dim != "purifier"]),
        "non-adaptive survival": found["blind"],
        "predicted survival": foretold["predicted"].reindex_like(found["blind"]),
    }
    rows = [
        (name, *(_correlation(one, found[whose]) for whose in ("blind", "adaptive"))) for name, one in known.items()
    ]
    columns = ("known", "with non-adaptive survival", "with adaptive survival")
    return Table(f"What goes with survival, linf {radius:g}", columns, tuple(rows))


def _small(results: xr.Dataset) -> xr.DataArray:
    """Return which share of an image's singular values is small."""
    values = results["singular_value"]
    return (values < SMALL).where(values.notnull()).mean("mode")


def _correlation(one: xr.DataArray, other: xr.DataArray) -> str:
    """Return a rank correlation and over how many; none where one of both never changes."""
    known = (one.notnull() & other.notnull()).values
    both = [values.values[known] for values in (one, other)]
    if any(len(np.unique(values)) < 2 for values in both):
        return ABSENT
    return f"{spearmanr(*both).statistic:+.2f} ({known.sum()})"


def _percent(share: float) -> str:
    return f"{share:.1%}".replace("%", " %") if np.isfinite(share) else ABSENT


def strangers(found: xr.Dataset) -> Table:
    """Return what a calibration said of purifiers that it never saw, and what attacks left of them."""
    told = zip(*(found[name].values for name in ("purifier", "family", "believed")), strict=True)
    numbers = zip(*(100 * found[name].values for name in ("predicted", "lower", "upper", "survival")), strict=True)
    rows = [
        (*map(str, who), f"{said:.1f} %", f"{low:.1f} to {high:.1f} %", f"{truth:.1f} %", f"{miss:+.1f}", inside)
        for who, (said, low, high, truth), miss, inside in zip(
            told, numbers, missed(found).values, np.where(covered(found), "yes", "no"), strict=True
        )
    ]
    columns = ("purifier", "family", "predictor", "predicted", "90 % interval", "survived", "miss, points", "covered")
    return Table(f"Strangers, linf {found.attrs['radius']:g}", columns, tuple(rows))


def strangers_by_family(found: xr.Dataset) -> Table:
    """Return by family how far those predictions were off, and how many intervals held the truth."""
    found = found.assign(off=abs(missed(found)), inside=("purifier", covered(found)))
    rows = [_family(name, part) for name, part in found.groupby("family")]
    columns = ("family", "purifiers", "mean absolute error, points", "covered")
    title = f"Strangers by family, linf {found.attrs['radius']:g}"
    return Table(title, columns, (*rows, _family("everyone", found)))


def _family(name: object, part: xr.Dataset) -> tuple[str, ...]:
    count, off = part.sizes["purifier"], float(part["off"].mean())
    return (
        str(name),
        str(count),
        f"{off:.1f}" if np.isfinite(off) else ABSENT,
        f"{int(part['inside'].sum())} of {count}",
    )
