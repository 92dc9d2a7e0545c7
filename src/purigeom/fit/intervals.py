"""How far a fitted sigmoid can be trusted: of its parameters, of its mean, and of the next purifier."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit
from scipy.stats import t as student

from purigeom.fit.likelihood import Numbers, inside
from purigeom.fit.sigmoid import SigmoidFit, sigmoid, slopes


def standard_errors(fit: SigmoidFit) -> dict[str, float]:
    """Return the standard error of every fitted parameter."""
    return dict(zip(fit.free, np.sqrt(np.diag(fit.covariance)).tolist(), strict=True))


def curve(fit: SigmoidFit, compression: ArrayLike, level: float = 0.95) -> tuple[Numbers, Numbers, Numbers]:
    """Return the mean survival at compressions with its confidence band."""
    mean, variance = _mean_and_variance(fit, compression)
    return _around(fit, mean, variance, level)


def prediction_interval(
    fit: SigmoidFit, compression: ArrayLike, count: ArrayLike, level: float = 0.9
) -> tuple[Numbers, Numbers, Numbers]:
    """Return what a new purifier's survival on `count` images should be, with an interval.

    The interval holds the uncertainty of the curve, the counting, and the scatter of purifiers around the curve.
    """
    mean, variance = _mean_and_variance(fit, compression)
    scatter = max(fit.dispersion, 1.0) * inside(mean) * (1 - inside(mean)) / np.asarray(count, float)
    return _around(fit, mean, variance + scatter, level)


def _mean_and_variance(fit: SigmoidFit, compression: ArrayLike) -> tuple[Numbers, Numbers]:
    compression = np.atleast_1d(np.asarray(compression, float))
    parameters = (fit.midpoint, fit.slope, fit.ceiling)
    gradient = slopes(compression, parameters, len(fit.free))
    return sigmoid(compression, *parameters), np.einsum("pc,pq,qc->c", gradient, fit.covariance, gradient)


def _around(fit: SigmoidFit, mean: Numbers, variance: Numbers, level: float) -> tuple[Numbers, Numbers, Numbers]:
    """Return mean, low and high; the interval is symmetric in the logit, so it stays within [0, 1]."""
    centre = inside(mean)
    reach = student.ppf((1 + level) / 2, fit.degrees_of_freedom) * np.sqrt(variance) / (centre * (1 - centre))
    return mean, np.asarray(expit(logit(centre) - reach)), np.asarray(expit(logit(centre) + reach))
