"""The quasi-binomial likelihood of the sigmoid, and the parameters that maximise it.

Parameters are (level, steepness, ceiling, floor): survival is floor + (ceiling - floor) * expit(level - steepness *
compression).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, rel_entr

from purigeom.fit.points import Floats, Points

ITERATIONS = 300
HALVINGS = 40
STEP_TOLERANCE = 1e-10
RANK_TOLERANCE = 1e-7
LARGEST_LOGIT = 500.0
LOWEST = np.array([-np.inf, -np.inf, 0.0, 0.0])
HIGHEST = np.array([np.inf, np.inf, 1.0, 1.0])

Mask = NDArray[np.bool_]
"""Which of the four parameters."""


def mean_and_rest(parameters: Floats, compression: Floats) -> tuple[Floats, Floats]:
    """Return the expected survival and one minus it, without cancellation."""
    ceiling, floor = parameters[2:]
    above, below = _shares(parameters, compression)
    return ceiling * above + floor * below, (1 - ceiling) * above + (1 - floor) * below


def mean_gradient(parameters: Floats, compression: Floats) -> Floats:
    """Return the derivative of the expected survival by the parameters, shape (purifier, parameter)."""
    ceiling, floor = parameters[2:]
    above, below = _shares(parameters, compression)
    slant = (ceiling - floor) * above * below
    return np.stack([slant, -compression * slant, above, below], axis=1)


def _shares(parameters: Floats, compression: Floats) -> tuple[Floats, Floats]:
    """Return the shares of the ceiling and of the floor in the expected survival."""
    logit = np.clip(parameters[0] - parameters[1] * compression, -LARGEST_LOGIT, LARGEST_LOGIT)
    return expit(logit), expit(-logit)


def deviance(points: Points, mean: Floats, rest: Floats) -> float:
    """Return twice the log likelihood lost against a curve through every point."""
    lost = rel_entr(points.survival, mean) + rel_entr(1 - points.survival, rest)
    return 2 * float(points.count @ lost)


def whitened(points: Points, parameters: Floats) -> tuple[Floats, Floats]:
    """Return the gradient and the residuals in binomial standard deviations: (J, r) with information J'J."""
    mean, rest = mean_and_rest(parameters, points.compression)
    weight = np.sqrt(points.count / (mean * rest))
    gradient = mean_gradient(parameters, points.compression)
    return gradient * weight[:, None], (points.survival - mean) * weight


def inside(parameters: Floats, free: Mask) -> Mask:
    """Return which free parameters lie off their bounds: the others are held there and have no error."""
    off: Mask = free & (parameters > LOWEST) & (parameters < HIGHEST)
    return off


def maximise(points: Points, start: Floats, free: Mask) -> Floats:
    """Return the maximum over the free parameters by Fisher scoring with step halving.

    Zero <= floor < ceiling <= one. Compression is best standardised first. What has settled at a bound must also
    settle with that bound held: an asymptote's information grows without limit there and hides the other steps.
    """
    parameters, moving = start, free
    for _ in range(ITERATIONS):
        moved = _moved(points, parameters, _scoring_step(points, parameters, moving))
        settled = np.abs(moved - parameters).max() < STEP_TOLERANCE * (1 + np.abs(parameters).max())
        kept = inside(moved, free)
        if settled and (moving == kept).all():
            _check_identified(points, moved, kept)
            return moved
        parameters, moving = moved, kept if settled else free
    msg = (
        f"fit_sigmoid did not settle in {ITERATIONS} steps: survival jumps between neighbouring purifiers, so the "
        "best slope is infinite. Add purifiers whose survival lies between 10 and 90 %."
    )
    raise RuntimeError(msg)


def _scoring_step(points: Points, parameters: Floats, free: Mask) -> Floats:
    """Return the step over the parameters that it does not push over a bound at which they are."""
    gradient, residual = whitened(points, parameters)
    moving = free.copy()
    while True:
        step = np.zeros(len(parameters))
        step[moving] = np.linalg.lstsq(gradient[:, moving], residual, rcond=RANK_TOLERANCE)[0]
        pushed = ((parameters >= HIGHEST) & (step > 0)) | ((parameters <= LOWEST) & (step < 0))
        if not pushed.any():
            return step
        moving &= ~pushed


def _moved(points: Points, parameters: Floats, step: Floats) -> Floats:
    """Return the parameters after the longest of the halved steps that does not raise the deviance."""
    before = deviance(points, *mean_and_rest(parameters, points.compression))
    allowed = before + 1e-13 * (1 + before)
    for halving in range(HALVINGS):
        trial = np.clip(parameters + 0.5**halving * step, LOWEST, HIGHEST)
        if trial[2] > trial[3] and deviance(points, *mean_and_rest(trial, points.compression)) <= allowed:
            return trial
    return parameters


def _check_identified(points: Points, parameters: Floats, kept: Mask) -> None:
    rank = np.linalg.matrix_rank(whitened(points, parameters)[0][:, kept], rtol=RANK_TOLERANCE)
    if rank < kept.sum():
        msg = (
            f"fit_sigmoid cannot tell its {kept.sum()} parameters apart from these {len(points.survival)} purifiers. "
            "Add purifiers whose survival lies between 10 and 90 %, or fix the ceiling and the floor."
        )
        raise RuntimeError(msg)
