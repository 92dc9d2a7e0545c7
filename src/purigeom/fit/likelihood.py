"""The quasi-binomial likelihood of the sigmoid, and the parameters that maximise it.

Parameters are (level, steepness, ceiling): survival is ceiling * expit(level - steepness * compression).
"""

import numpy as np
from scipy.special import expit, rel_entr

from purigeom.fit.points import Floats, Points

ITERATIONS = 300
HALVINGS = 40
STEP_TOLERANCE = 1e-10
RANK_TOLERANCE = 1e-7
LARGEST_LOGIT = 500.0


def mean_and_rest(parameters: Floats, compression: Floats) -> tuple[Floats, Floats]:
    """Return the expected survival and one minus it, without cancellation."""
    level, steepness, ceiling = parameters
    logit = np.clip(level - steepness * compression, -LARGEST_LOGIT, LARGEST_LOGIT)
    return ceiling * expit(logit), expit(-logit) + (1 - ceiling) * expit(logit)


def mean_gradient(parameters: Floats, compression: Floats) -> Floats:
    """Return the derivative of the expected survival by the parameters, shape (purifier, parameter)."""
    level, steepness, ceiling = parameters
    logit = np.clip(level - steepness * compression, -LARGEST_LOGIT, LARGEST_LOGIT)
    slant = ceiling * expit(logit) * expit(-logit)
    return np.stack([slant, -compression * slant, expit(logit)], axis=1)


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


def maximise(points: Points, start: Floats, free: int) -> Floats:
    """Return the maximum over the first `free` parameters by Fisher scoring with step halving.

    The ceiling stays at or below one. Compression is best standardised first.
    """
    parameters = start
    for _ in range(ITERATIONS):
        moved = _moved(points, parameters, _scoring_step(points, parameters, free))
        if np.abs(moved - parameters).max() < STEP_TOLERANCE * (1 + np.abs(parameters).max()):
            _check_identified(points, moved, free)
            return moved
        parameters = moved
    msg = (
        f"fit_sigmoid did not settle in {ITERATIONS} steps: survival jumps between neighbouring purifiers, so the "
        "best slope is infinite. Add purifiers whose survival lies between 10 and 90 %."
    )
    raise RuntimeError(msg)


def _scoring_step(points: Points, parameters: Floats, free: int) -> Floats:
    gradient, residual = whitened(points, parameters)
    step = np.zeros(3)
    step[:free] = np.linalg.lstsq(gradient[:, :free], residual, rcond=RANK_TOLERANCE)[0]
    if parameters[2] == 1 and step[2] > 0:
        return _scoring_step(points, parameters, 2)
    return step


def _moved(points: Points, parameters: Floats, step: Floats) -> Floats:
    """Return the parameters after the longest of the halved steps that does not raise the deviance."""
    before = deviance(points, *mean_and_rest(parameters, points.compression))
    allowed = before + 1e-13 * (1 + before)
    for halving in range(HALVINGS):
        trial = parameters + 0.5**halving * step
        trial[2] = np.clip(trial[2], 1e-9, 1)
        if deviance(points, *mean_and_rest(trial, points.compression)) <= allowed:
            return trial
    return parameters


def _check_identified(points: Points, parameters: Floats, free: int) -> None:
    free = 2 if parameters[2] == 1 else free
    rank = np.linalg.matrix_rank(whitened(points, parameters)[0][:, :free], rtol=RANK_TOLERANCE)
    if rank < free:
        msg = (
            f"fit_sigmoid cannot tell its {free} parameters apart from these {len(points.survival)} purifiers. "
            "Add purifiers whose survival lies between 10 and 90 %, or fix the ceiling."
        )
        raise RuntimeError(msg)
