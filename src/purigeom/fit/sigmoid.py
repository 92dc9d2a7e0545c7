"""Survival as a falling sigmoid of compression, fitted by quasi-binomial likelihood."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import expit, logit

from purigeom.fit.likelihood import (
    Numbers,
    Survivals,
    corrected_information,
    deviance,
    dispersion,
    inside,
    survivals,
)

_STARTS = (2.0, 8.0, 30.0, -8.0)
_CEILING_AT_ONE = 1 - 1e-3


@dataclass(frozen=True)
class SigmoidFit:
    """survival = ceiling / (1 + exp(slope (compression - midpoint))), and how well it is known.

    Parameters
    ----------
    midpoint, slope, ceiling
        The curve. A fitted ceiling that runs to one is held there.
    free
        The names of the fitted parameters, in the order of the covariance.
    covariance
        Inverse Fisher information times the dispersion, or times one where the dispersion is smaller: points that
        scatter less than their counts allow do so by chance.
    dispersion
        Pearson's statistic over the degrees of freedom.
    degrees_of_freedom
        Number of purifiers less the fitted parameters.
    aicc, aicc_line, aicc_constant
        QAICc of the sigmoid, a straight line and a constant, all at the sigmoid's dispersion; lower is better.
    """

    midpoint: float
    slope: float
    ceiling: float
    free: tuple[str, ...]
    covariance: Numbers
    dispersion: float
    degrees_of_freedom: int
    aicc: float
    aicc_line: float
    aicc_constant: float


def fit_sigmoid(
    compression: ArrayLike, survival: ArrayLike, count: ArrayLike, ceiling: float | None = 1.0
) -> SigmoidFit:
    """Fit the sigmoid to one point per purifier; a ceiling of None is fitted too.

    Counts of survivors may be fractional: survival is averaged over draws, while the images are what is counted.

    Examples
    --------
    >>> compression = np.linspace(0.1, 0.9, 9)
    >>> fit = fit_sigmoid(compression, sigmoid(compression, 0.5, 8.0, 1.0), np.full(9, 100))
    >>> round(fit.midpoint, 3), round(fit.slope, 3)
    (0.5, 8.0)
    """
    points = survivals(compression, survival, count)
    free = ("midpoint", "slope", "ceiling") if ceiling is None else ("midpoint", "slope")
    if len(points.count) <= len(free):
        msg = f"A sigmoid of {len(free)} parameters needs at least {len(free) + 1} purifiers; got {len(points.count)}."
        raise ValueError(msg)
    curve = _most_likely(points, ceiling)
    if ceiling is None and curve[2] > _CEILING_AT_ONE:
        return fit_sigmoid(compression, survival, count, ceiling=1.0)
    return _described(points, curve, free)


def sigmoid(compression: ArrayLike, midpoint: float, slope: float, ceiling: float) -> Numbers:
    """Return the expected survival at compressions."""
    return np.asarray(ceiling * expit(-slope * (np.asarray(compression, float) - midpoint)))


def slopes(compression: Numbers, fit_or_curve: tuple[float, float, float], free: int) -> Numbers:
    """Return the derivative of the sigmoid by its first `free` parameters, shape (parameter, compression)."""
    midpoint, slope, ceiling = fit_or_curve
    share = expit(-slope * (compression - midpoint))
    bend = ceiling * share * (1 - share)
    return np.stack([slope * bend, -(compression - midpoint) * bend, share])[:free]


def _most_likely(points: Survivals, ceiling: float | None) -> tuple[float, float, float]:
    """Return the best curve over several starting slopes, found in parameters that know no bounds."""
    top = min(0.99, 1.1 * points.survival.max()) if ceiling is None else ceiling
    middle = float(np.median(points.compression))
    starts = [[start * middle, start] + ([logit(top)] if ceiling is None else []) for start in _STARTS]

    def unbounded(theta: Numbers) -> tuple[float, float, float]:
        return theta[0] / theta[1], theta[1], float(expit(theta[2])) if ceiling is None else ceiling

    def loss(theta: Numbers) -> float:
        share = expit(theta[0] - theta[1] * points.compression)
        height = expit(theta[2]) if ceiling is None else ceiling
        return deviance(points, height * share)

    theta = _minimum(loss, starts)
    return unbounded(theta)


def _minimum(loss: Callable[[Numbers], float], starts: list[list[float]]) -> Numbers:
    found = [minimize(loss, start, method="Nelder-Mead", options={"maxiter": 4000}) for start in starts]
    best = min(found, key=lambda result: float(result.fun))
    polished = minimize(
        loss, best.x, method="Nelder-Mead", options={"maxiter": 4000, "xatol": 1e-10, "fatol": 1e-10}
    )
    if not polished.success:
        msg = f"The sigmoid could not be fitted: {polished.message} Look at the points; perhaps none is on its slope."
        raise RuntimeError(msg)
    return np.asarray(polished.x)


def _check_slope(steepness: float) -> None:
    if abs(steepness) < FLATTEST:
        msg = (
            "fit_sigmoid found no slope at all: survival neither rises nor falls with compression, so the curve "
            "has no midpoint. Report the mean survival, or add purifiers of other compression."
        )
        raise RuntimeError(msg)


def _described(points: Survivals, curve: tuple[float, float, float], free: tuple[str, ...]) -> SigmoidFit:
    expected = sigmoid(points.compression, *curve)
    gradient = slopes(points.compression, curve, len(free))
    weight = points.count / (inside(expected) * (1 - inside(expected)))
    information = (gradient * weight) @ gradient.T
    scatter = dispersion(points, expected, len(free))
    scale = max(scatter, 1.0)
    if np.linalg.cond(information) > 1e14:
        msg = "These points do not determine a sigmoid: some parameters can change freely. Add purifiers in between."
        raise RuntimeError(msg)
    return SigmoidFit(
        *(float(parameter) for parameter in curve),
        free,
        scale * np.linalg.inv(information),
        scatter,
        len(points.count) - len(free),
        corrected_information(points, expected, len(free), scale),
        corrected_information(points, _line(points), 2, scale),
        corrected_information(points, _constant(points), 1, scale),
    )


def _constant(points: Survivals) -> Numbers:
    return np.full_like(points.survival, np.average(points.survival, weights=points.count))


def _line(points: Survivals) -> Numbers:
    """Return the most likely straight line, held within [0, 1]."""

    def values(theta: Numbers) -> Numbers:
        return np.clip(theta[0] + theta[1] * points.compression, 1e-3, 1 - 1e-3)

    start = np.polyfit(points.compression, points.survival, 1, w=np.sqrt(points.count))[::-1]
    return values(_minimum(lambda theta: deviance(points, values(theta)), [list(start)]))
