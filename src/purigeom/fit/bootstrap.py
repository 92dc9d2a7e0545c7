"""How sure the sigmoid is when both its purifiers and its images are a sample: the two-way bootstrap."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from purigeom.fit.intervals import curve
from purigeom.fit.points import Floats
from purigeom.fit.sigmoid import PARAMETERS, SigmoidFit, fit_sigmoid


@dataclass(frozen=True)
class Resampling:
    """How often purifiers and images are drawn anew, with what randomness, and which sigmoid is fitted to them.

    `ceiling` and `floor` are those of `fit_sigmoid`: None fits one.
    """

    replicates: int = 1000
    seed: int = 0
    level: float = 0.9
    ceiling: float | None = None
    floor: float | None = 0.0

    def __post_init__(self) -> None:
        if self.replicates < 1 or not 0 < self.level < 1:
            msg = (
                "Resampling needs at least one replicate and a level between 0 and 1; "
                f"got replicates={self.replicates}, level={self.level}."
            )
            raise ValueError(msg)


@dataclass(frozen=True, eq=False)
class Bands:
    """Percentile bands of the resampled sigmoids: of each parameter, and of the curve at the places asked for.

    `fits` holds every replicate that could be fitted, (replicate, parameter); the bands are of these alone.
    """

    parameters: Mapping[str, tuple[float, float]]
    low: Floats
    high: Floats
    fits: Floats
    failed: int

    @property
    def sentence(self) -> str:
        """Say how many resamples could not be fitted, and so are in no band."""
        tried = self.failed + len(self.fits)
        return f"{self.failed} of {tried} resamples of purifiers and images could not be fitted and are in no band."


def bands(compression: ArrayLike, survived: ArrayLike, at: ArrayLike, how: Resampling = Resampling()) -> Bands:
    """Fit the sigmoid to purifiers and images drawn with replacement, each independently of the other.

    The pigeonhole bootstrap (Owen 2007, doi:10.1214/07-AOAS122): all purifiers of a replicate are judged on the same
    drawn images, so that what images have in common is kept. It errs towards bands that are too wide.

    Parameters
    ----------
    compression, survived
        One fact per purifier and image, NaN where unknown; average draws and probes before.
    at
        The compressions at which the curve is wanted.

    Raises
    ------
    RuntimeError
        Where no replicate can be fitted.
    """
    tables = _checked(compression, survived)
    random = np.random.default_rng(how.seed)
    fits = [fit for _ in range(how.replicates) if (fit := _replicate(*tables, random, how)) is not None]
    if not fits:
        msg = f"None of {how.replicates} resamples can be fitted by a sigmoid. Add purifiers between 10 and 90 %."
        raise RuntimeError(msg)
    found = np.array([[getattr(fit, name) for name in PARAMETERS] for fit in fits])
    curves = [curve(fit, at)[0] for fit in fits]
    ends = [(1 - how.level) / 2, (1 + how.level) / 2]
    low, high = np.quantile(curves, ends, axis=0)
    spread = np.quantile(found, ends, axis=0).T.tolist()
    named = {name: (one[0], one[1]) for name, one in zip(PARAMETERS, spread, strict=True)}
    return Bands(named, low, high, found, how.replicates - len(fits))


def _checked(compression: ArrayLike, survived: ArrayLike) -> tuple[Floats, Floats]:
    ratios, verdicts = np.asarray(compression, dtype=float), np.asarray(survived, dtype=float)
    if ratios.ndim != 2 or ratios.shape != verdicts.shape:
        msg = (
            "bands needs one compression and one survival per purifier and image; "
            f"got shapes {ratios.shape} and {verdicts.shape}."
        )
        raise ValueError(msg)
    return ratios, verdicts


def _replicate(
    compression: Floats, survived: Floats, random: np.random.Generator, how: Resampling
) -> SigmoidFit | None:
    """Return the fit to one draw of purifiers and images, None where it has none."""
    purifiers, images = survived.shape
    rows = random.integers(purifiers, size=purifiers)
    times = np.bincount(random.integers(images, size=images), minlength=images).astype(float)
    ratio, _ = _weighted_mean(compression[rows], times)
    survival, count = _weighted_mean(survived[rows], times)
    known = np.isfinite(ratio) & np.isfinite(survival)
    try:
        return fit_sigmoid(ratio[known], survival[known], count[known], how.ceiling, how.floor)
    except (ValueError, RuntimeError):
        return None


def _weighted_mean(facts: Floats, times: Floats) -> tuple[Floats, Floats]:
    """Return the mean of the known facts of each purifier, and how many there are; NaN where there is none."""
    known = np.isfinite(facts)
    count = known @ times
    total = np.where(known, facts, 0.0) @ times
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0), count
