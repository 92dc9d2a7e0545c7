"""What a sigmoid must beat: the same likelihood for a constant and for a straight line."""

import numpy as np
from scipy.optimize import minimize

from purigeom.fit.likelihood import deviance
from purigeom.fit.points import Floats, Points

EDGE = 1e-6
"""How near to zero and one a straight line may end, so that its likelihood stays finite."""


def corrected_criterion(lost: float, dispersion: float, parameters: int, purifiers: int) -> float:
    """Return QAICc = deviance / dispersion + 2 K + 2 K (K + 1) / (J - K - 1), K counting the dispersion too.

    Too few purifiers for the correction give infinity. Burnham and Anderson, Model Selection, 2002, section 2.5.
    """
    estimated, floored = parameters + 1, max(dispersion, 1.0)
    left = purifiers - estimated - 1
    if left <= 0:
        return float("inf")
    return lost / floored + 2 * estimated + 2 * estimated * (estimated + 1) / left


def constant_deviance(points: Points) -> float:
    """Return the deviance of the common mean."""
    mean = np.full_like(points.survival, np.average(points.survival, weights=points.count))
    return deviance(points, mean, 1 - mean)


def line_deviance(points: Points) -> float:
    """Return the deviance of the best straight line that stays within [0, 1] on these purifiers."""
    share = (points.compression - points.compression.min()) / np.ptp(points.compression)
    weights = np.stack([1 - share, share], axis=1)

    def lost(ends: Floats) -> tuple[float, Floats]:
        mean = weights @ ends
        slant = points.count * (mean - points.survival) / (mean * (1 - mean))
        return deviance(points, mean, 1 - mean), 2 * slant @ weights

    start = np.full(2, np.average(points.survival, weights=points.count))
    found = minimize(lost, start, jac=True, method="L-BFGS-B", bounds=[(EDGE, 1 - EDGE)] * 2)
    return float(found.fun)
