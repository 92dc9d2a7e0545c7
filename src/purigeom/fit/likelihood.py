"""The quasi-binomial likelihood: survivals of purifiers that differ by more than their counts explain."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlog1py, xlogy

Numbers: TypeAlias = NDArray[np.float64]
_EDGE = 1e-12


@dataclass(frozen=True)
class Survivals:
    """One point per purifier: its compression, the share of images that survive, and how many there were."""

    compression: Numbers
    survival: Numbers
    count: Numbers


def survivals(compression: ArrayLike, survival: ArrayLike, count: ArrayLike) -> Survivals:
    """Return checked points; raise where they cannot be fitted."""
    points = Survivals(*(np.atleast_1d(np.asarray(values, float)) for values in (compression, survival, count)))
    shapes = {points.compression.shape, points.survival.shape, points.count.shape}
    if len(shapes) != 1 or points.compression.ndim != 1:
        msg = f"A fit needs one compression, survival and count per purifier; got shapes {sorted(shapes)}."
        raise ValueError(msg)
    if not all(np.isfinite(values).all() for values in vars(points).values()):
        msg = "A fit needs finite compressions, survivals and counts; got NaN or infinity. Leave those purifiers out."
        raise ValueError(msg)
    if ((points.survival < 0) | (points.survival > 1)).any() or (points.count <= 0).any():
        msg = "Survivals must lie in [0, 1] and counts above zero; check which column is which."
        raise ValueError(msg)
    if np.ptp(points.compression) == 0 or np.ptp(points.survival) == 0:
        msg = "A fit needs purifiers that differ in compression and in survival; these are all alike in one of them."
        raise ValueError(msg)
    return points


def deviance(points: Survivals, expected: Numbers) -> float:
    """Return twice the log likelihood lost against a curve through every point."""
    return 2 * (_log_likelihood(points, points.survival) - _log_likelihood(points, expected))


def dispersion(points: Survivals, expected: Numbers, parameters: int) -> float:
    """Return Pearson's statistic over its degrees of freedom: one where counts explain all scatter."""
    variance = inside(expected) * (1 - inside(expected))
    pearson = points.count * (points.survival - expected) ** 2 / variance
    return float(pearson.sum() / (len(points.count) - parameters))


def corrected_information(points: Survivals, expected: Numbers, parameters: int, scale: float) -> float:
    """Return QAICc up to a constant of the points: lower is better; the dispersion counts as a parameter."""
    size, counted = len(points.count), parameters + 1
    if size <= counted + 1:
        return float("inf")
    correction = 2 * counted * (counted + 1) / (size - counted - 1)
    return deviance(points, expected) / scale + 2 * counted + correction


def inside(expected: Numbers) -> Numbers:
    """Return probabilities kept a hair away from zero and one."""
    return np.clip(expected, _EDGE, 1 - _EDGE)


def _log_likelihood(points: Survivals, expected: Numbers) -> float:
    survived, expected = points.count * points.survival, inside(expected)
    return float((xlogy(survived, expected) + xlog1py(points.count - survived, -expected)).sum())
