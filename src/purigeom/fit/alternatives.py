"""What a sigmoid must beat: the same likelihood for a constant and for a straight line."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from purigeom.fit.likelihood import deviance
from purigeom.fit.points import Floats, Points

EDGE = 1e-6
"""How near to zero and one a straight line may end, so that its likelihood stays finite."""


@dataclass(frozen=True)
class LineFit:
    """The line intercept + gradient * compression, held within [0, 1] where it was fitted; a constant has no gradient.

    The dispersion is Pearson's X2 over the degrees of freedom.
    """

    intercept: float
    gradient: float
    deviance: float
    dispersion: float


def corrected_criterion(lost: float, dispersion: float, parameters: int, purifiers: int) -> float:
    """Return QAICc = deviance / dispersion + 2 K + 2 K (K + 1) / (J - K - 1), K counting the dispersion too.

    Too few purifiers for the correction give infinity. Burnham and Anderson, Model Selection, 2002, section 2.5.
    """
    estimated, floored = parameters + 1, max(dispersion, 1.0)
    left = purifiers - estimated - 1
    if left <= 0:
        return float("inf")
    return lost / floored + 2 * estimated + 2 * estimated * (estimated + 1) / left


def fit_constant(points: Points) -> LineFit:
    """Fit the common mean."""
    mean = float(np.average(points.survival, weights=points.count))
    return _described(points, np.full_like(points.survival, mean), (mean, 0.0), 1)


def fit_line(points: Points) -> LineFit:
    """Fit the best straight line that stays within [0, 1] on these purifiers."""
    first, width = points.compression.min(), np.ptp(points.compression)
    if width == 0:
        msg = f"A line needs at least 2 different compressions; all purifiers have {first:g}."
        raise ValueError(msg)
    share = (points.compression - first) / width
    weights = np.stack([1 - share, share], axis=1)

    def lost(ends: Floats) -> tuple[float, Floats]:
        mean = weights @ ends
        slant = points.count * (mean - points.survival) / (mean * (1 - mean))
        return deviance(points, mean, 1 - mean), 2 * slant @ weights

    start = np.clip(np.full(2, np.average(points.survival, weights=points.count)), EDGE, 1 - EDGE)
    ends = minimize(lost, start, jac=True, method="L-BFGS-B", bounds=[(EDGE, 1 - EDGE)] * 2).x
    gradient = float((ends[1] - ends[0]) / width)
    return _described(points, weights @ ends, (float(ends[0] - gradient * first), gradient), 2)


def _described(points: Points, mean: Floats, coefficients: tuple[float, float], parameters: int) -> LineFit:
    held = np.clip(mean, EDGE, 1 - EDGE)
    scatter = float(np.sum(points.count * (points.survival - held) ** 2 / (held * (1 - held))))
    freedom = len(mean) - parameters
    return LineFit(
        *coefficients,
        deviance=deviance(points, mean, 1 - mean),
        dispersion=scatter / freedom if freedom > 0 else float("nan"),
    )
