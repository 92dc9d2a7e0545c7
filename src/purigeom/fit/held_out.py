"""What a predictor of survival is worth on purifiers it has not seen, whichever predictor it is."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
import xarray as xr

from purigeom.fit.angles import angle, share_of
from purigeom.fit.errors import Errors, errors

__all__ = [
    "Errors",
    "Learn",
    "Predict",
    "asked",
    "coverage",
    "errors",
    "held_out",
    "jackknife_plus",
    "nested_intervals",
    "seen",
]

Predict: TypeAlias = Callable[[xr.Dataset], np.ndarray]
"""From a table of purifiers to one predicted survival each."""
Learn: TypeAlias = Callable[[xr.Dataset], Predict]
"""From a table of purifiers, with `survival` (purifier,) in [0, 1] among its variables, to a prediction.

Raises ValueError or RuntimeError where the purifiers do not suffice.
"""
FEWEST = 10
"""The fewest purifiers from whose misses an interval is made."""


def seen(learn: Learn, table: xr.Dataset) -> np.ndarray:
    """Return what a learner predicts of the purifiers it learnt from, NaN where it could not learn."""
    return asked(learn, table, table)[0]


def held_out(learn: Learn, table: xr.Dataset, groups: np.ndarray) -> np.ndarray:
    """Return each purifier's prediction by a learner that saw no purifier of its group.

    NaN for the groups without which the learner raised ValueError or RuntimeError: `errors` counts them.
    """
    predicted = np.full(table.sizes["purifier"], np.nan)
    for outside, inside in _folds(table, groups):
        (predicted[inside],) = asked(learn, table.isel(purifier=outside), table.isel(purifier=inside))
    return predicted


def jackknife_plus(
    learn: Learn, table: xr.Dataset, groups: np.ndarray, new: xr.Dataset, level: float = 0.9
) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower and upper survival of new purifiers, from how far groups left out were missed.

    CV+ of Barber, Candes, Ramdas and Tibshirani (2021, doi:10.1214/20-AOS1965); with every purifier its own group it
    is the jackknife+. Every purifier of `table` gives one score to each end: the prediction of the learner that did
    not see its group, less or plus that learner's miss on this purifier. Misses are taken on the angle
    asin(sqrt(survival)), on which images scatter alike everywhere; what could not be learnt counts as an infinite
    miss. What is guaranteed of exchangeable points is not guaranteed of new groups: how often these are covered,
    `nested_intervals` tells.
    """
    _check(table, level)
    scores = np.full((2, table.sizes["purifier"], new.sizes["purifier"]), np.inf)
    for outside, inside in _folds(table, groups):
        known = table.isel(purifier=inside)
        again, centre = map(angle, asked(learn, table.isel(purifier=outside), known, new))
        miss = np.abs(angle(known["survival"].values) - again)[:, None]
        scores[:, inside] = [miss - centre, miss + centre]
    scores[np.isnan(scores)] = np.inf
    ranked = np.sort(scores, axis=1)
    rank = int(np.ceil(round(level * (ranked.shape[1] + 1), 9)))
    ends = ranked[:, rank - 1] if rank <= ranked.shape[1] else np.full(ranked[:, 0].shape, np.inf)
    return share_of(-ends[0]), share_of(ends[1])


def nested_intervals(
    learn: Learn, table: xr.Dataset, groups: np.ndarray, level: float = 0.9
) -> tuple[np.ndarray, np.ndarray]:
    """Return for every purifier the jackknife+ interval made without its group, to see how often it covers.

    NaN where too few purifiers or groups are left.
    """
    lower, upper = np.full((2, table.sizes["purifier"]), np.nan)
    for outside, inside in _folds(table, groups):
        rest, new = table.isel(purifier=outside), table.isel(purifier=inside)
        if rest.sizes["purifier"] >= FEWEST and len(set(groups[outside])) > 1:
            lower[inside], upper[inside] = jackknife_plus(learn, rest, groups[outside], new, level)
    return lower, upper


def coverage(lower: np.ndarray, upper: np.ndarray, survival: np.ndarray) -> float:
    """Return the share of survivals within their interval, of those that have one; NaN where none has."""
    known = np.isfinite(lower) & np.isfinite(upper) & np.isfinite(survival)
    return float(np.mean((lower <= survival)[known] & (survival <= upper)[known])) if known.any() else float("nan")


def _folds(table: xr.Dataset, groups: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the purifiers outside and inside every group, as places."""
    purifiers = table.sizes["purifier"]
    if np.shape(groups) != (purifiers,):
        msg = f"Leaving groups out needs one group per purifier: {purifiers}; got shape {np.shape(groups)}."
        raise ValueError(msg)
    names = np.unique(groups)
    if len(names) < 2:
        msg = f"Leaving groups out needs at least 2 groups; all {purifiers} purifiers are of {names.tolist()}."
        raise ValueError(msg)
    for name in names:
        yield np.flatnonzero(groups != name), np.flatnonzero(groups == name)


def _check(table: xr.Dataset, level: float) -> None:
    if table.sizes["purifier"] < FEWEST:
        msg = (
            f"jackknife_plus needs at least {FEWEST} purifiers, whose misses make its interval; got "
            f"{table.sizes['purifier']}. Use the sigmoid's prediction_interval."
        )
        raise ValueError(msg)
    if not 0 < level < 1:
        msg = f"The level of an interval must lie between 0 and 1; got {level}."
        raise ValueError(msg)


def asked(learn: Learn, table: xr.Dataset, *tables: xr.Dataset) -> list[np.ndarray]:
    """Return what the learner predicts for each of the tables; NaN where it cannot learn."""
    try:
        predict = learn(table)
        return [np.asarray(predict(new), dtype=float) for new in tables]
    except (ValueError, RuntimeError):
        return [np.full(new.sizes["purifier"], np.nan) for new in tables]
