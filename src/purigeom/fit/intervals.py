"""How sure a fitted sigmoid is: of its parameters, of its curve and of a purifier it has not seen."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t as student

from purigeom.fit.angles import angle, share_of
from purigeom.fit.likelihood import mean_and_rest, mean_gradient
from purigeom.fit.points import Floats
from purigeom.fit.sigmoid import PARAMETERS, SigmoidFit

Interval = tuple[Floats, Floats, Floats]


def standard_errors(fit: SigmoidFit) -> dict[str, float]:
    """Return the standard error of each parameter that was fitted."""
    errors = np.sqrt(np.diag(np.array(fit.covariance)))
    return dict(zip(fit.names, errors.tolist(), strict=True))


def curve(fit: SigmoidFit, compression: ArrayLike, level: float = 0.95) -> Interval:
    """Return the mean survival and the low and high end of its confidence band.

    The delta method on the angle asin(sqrt(survival)), whose binomial variance does not depend on survival:
    the band stays in [0, 1] and narrows towards both ends.
    """
    places = np.atleast_1d(np.asarray(compression, dtype=float))
    return _interval(fit, places, _parameter_variance(fit, places), level)


def prediction_interval(fit: SigmoidFit, compression: ArrayLike, count: ArrayLike, level: float = 0.9) -> Interval:
    """Return the mean, low and high survival of a new purifier measured on `count` images.

    Adds to the error of the curve the scatter of a purifier about it. The scatter is split by the intraclass
    correlation rho = (dispersion - 1) / (images per fitted purifier - 1) into one of images, which shrinks as
    1 / count, and one between purifiers, which does not; at the fitted count it is dispersion / count.
    """
    places = np.atleast_1d(np.asarray(compression, dtype=float))
    correlation = min(1.0, (max(fit.dispersion, 1.0) - 1) / max(fit.count - 1, 1.0))
    images = np.asarray(count, dtype=float)
    scatter = (1 + (images - 1) * correlation) / images / 4
    return _interval(fit, places, _parameter_variance(fit, places) + scatter, level)


def _parameters(fit: SigmoidFit) -> Floats:
    return np.array([fit.slope * fit.midpoint, fit.slope, fit.ceiling, fit.floor])


def _parameter_variance(fit: SigmoidFit, compression: Floats) -> Floats:
    """Return the variance of asin(sqrt(survival)) that the errors of the parameters cause."""
    parameters = _parameters(fit)
    mean, rest = mean_and_rest(parameters, compression)
    change = np.eye(len(PARAMETERS))
    change[0, :2] = fit.slope, fit.midpoint
    kept = [PARAMETERS.index(name) for name in fit.names]
    gradient = (mean_gradient(parameters, compression) @ change)[:, kept]
    slope = gradient / (2 * np.sqrt(mean * rest))[:, None]
    variance: Floats = np.einsum("pi,ij,pj->p", slope, np.array(fit.covariance), slope)
    return variance


def _interval(fit: SigmoidFit, compression: Floats, variance: Floats, level: float) -> Interval:
    if not 0 < level < 1:
        msg = f"The level of an interval must lie between 0 and 1; got {level}."
        raise ValueError(msg)
    mean, _ = mean_and_rest(_parameters(fit), compression)
    reach = student.ppf((1 + level) / 2, fit.degrees_of_freedom) * np.sqrt(variance)
    low, high = (share_of(angle(mean) + side * reach) for side in (-1, 1))
    return mean, low, high
