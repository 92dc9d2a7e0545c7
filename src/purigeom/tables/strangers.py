"""Tables of purifiers that a calibration had never met: what it said of them, and what attacks left."""

from collections.abc import Callable

import numpy as np
import xarray as xr
from scipy.stats import spearmanr

from purigeom.plot.zoo import facts
from purigeom.prediction.strangers import covered, missed
from purigeom.tables.cells import ABSENT
from purigeom.tables.writing import Table

RESAMPLES = 2000
"""Of purifiers, for the 5th and 95th percentile."""


def companions(results: xr.Dataset, foretold: xr.Dataset) -> Table:
    """Return how the survival of strangers goes with what is known of them: Spearman's correlations, 90 % intervals."""
    radius = foretold.attrs["radius"]
    found = facts(results, radius).sel(purifier=foretold["purifier"])
    known = {
        "compression": found["compression"],
        "SSIM": results["ssim"].sel(purifier=foretold["purifier"]).mean(("draw", "image")),
        "non-adaptive survival": found["blind"],
        "prediction": foretold["predicted"],
    }
    truth = foretold["survival"].values
    rows = [(name, _with_interval(_correlation, np.array([one.values, truth]), "+.2f")) for name, one in known.items()]
    title = f"What goes with survival of {len(truth)} strangers, linf {radius:g}"
    return Table(title, ("known", "rank correlation"), tuple(rows))


def yardsticks(results: xr.Dataset, foretold: xr.Dataset, calibration: xr.Dataset) -> Table:
    """Return how far strangers were missed by predictions, and by guesses that need none; 90 % intervals."""
    radius = foretold.attrs["radius"]
    truth, blind = foretold["survival"], facts(results, radius)["blind"].sel(purifier=foretold["purifier"])
    guesses = {
        "prediction": foretold["predicted"],
        "mean of the calibration": xr.full_like(truth, float(calibration["survival"].mean())),
        "non-adaptive survival": blind,
        "nothing survives": xr.zeros_like(truth),
    }
    rows = [
        (name, _with_interval(lambda off: float(off.mean()), 100 * abs((guess - truth).values)[None], ".1f"))
        for name, guess in guesses.items()
    ]
    title = f"Misses of guesses at {truth.size} strangers, linf {radius:g}"
    return Table(title, ("guess", "mean absolute error, points"), tuple(rows))


def _correlation(both: np.ndarray) -> float:
    constant = any(len(np.unique(values)) == 1 for values in both)
    return np.nan if constant else float(spearmanr(*both).statistic)


def _with_interval(statistic: Callable[[np.ndarray], float], values: np.ndarray, form: str) -> str:
    """Return a statistic of purifiers, and from where to where it goes if others of their kind had been measured."""
    found = statistic(values)
    if not np.isfinite(found):
        return ABSENT
    drawn = np.random.default_rng(0).integers(values.shape[1], size=(RESAMPLES, values.shape[1]))
    ends = np.nanquantile([statistic(values[:, places]) for places in drawn], (0.05, 0.95))
    return f"{found:{form}} ({ends[0]:{form}} to {ends[1]:{form}})"


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
