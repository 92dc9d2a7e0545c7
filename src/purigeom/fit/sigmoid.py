"""The sigmoid of survival against compression, fitted by quasi-binomial likelihood."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logit

from purigeom.fit.alternatives import corrected_criterion, fit_constant, fit_line
from purigeom.fit.likelihood import Mask, deviance, inside, maximise, mean_and_rest, whitened
from purigeom.fit.points import Floats, Points, checked_points

PARAMETERS = ("midpoint", "slope", "ceiling", "floor")
FLATTEST = 1e-6
"""The smallest slope, in logits per standard deviation of compression, that still tells a midpoint."""


@dataclass(frozen=True)
class SigmoidFit:
    """The curve floor + (ceiling - floor) * expit(-slope * (compression - midpoint)) and how well the data tell it.

    Parameters
    ----------
    names
        The parameters that the data decided. A ceiling or a floor is missing where the caller fixed it, and where
        its best value is its bound, one or zero: it is then held there and has no error of its own.
    covariance
        Of the parameters in `names`: the inverse Fisher information times the dispersion, at least 1.
    dispersion
        Pearson's X2 over the degrees of freedom, as it came out: how many times larger than binomial the
        scatter about the curve is. Intervals use at least 1, since purifiers cannot agree better than the
        images allow: a smaller value is chance, or images that several draws judged.
    degrees_of_freedom
        Number of purifiers less the parameters asked for, those held at their bound included.
    count
        The mean number of images per purifier, to which the dispersion belongs.
    aicc, aicc_constant, aicc_line
        QAICc of the sigmoid, of a constant and of a straight line, all with the dispersion of the sigmoid
        (the richest of the three; at least 1); the smallest is the best. Infinite where purifiers are too few.
    """

    midpoint: float
    slope: float
    ceiling: float
    floor: float
    names: tuple[str, ...]
    covariance: tuple[tuple[float, ...], ...]
    dispersion: float
    degrees_of_freedom: int
    deviance: float
    count: float
    aicc: float
    aicc_constant: float
    aicc_line: float


def fit_sigmoid(
    compression: ArrayLike,
    survival: ArrayLike,
    count: ArrayLike,
    ceiling: float | None = 1.0,
    floor: float | None = 0.0,
) -> SigmoidFit:
    """Fit the fall of survival with the compression ratio, one point per purifier.

    Maximises the quasi-binomial likelihood by Fisher scoring. Purifiers scatter about any curve by more than
    their images explain, so errors come from the dispersion between purifiers, with t quantiles.

    Parameters
    ----------
    compression
        The compression ratio of each purifier.
    survival
        The fraction of images that survive, which draws may have averaged.
    count
        The number of images behind each survival, or one number for all.
    ceiling
        The survival of perfect compression, such as the accuracy on clean images; None fits it, up to one.
    floor
        The survival where nothing is compressed, such as that of no defence at all; None fits it, down to zero.

    Raises
    ------
    ValueError
        For points that no such curve can be fitted to.
    RuntimeError
        Where the likelihood has no finite maximum, has it at a slope of zero, or does not tell the parameters
        apart. Parameters that are barely told apart come back with errors as large as that deserves.

    Examples
    --------
    >>> fit = fit_sigmoid([0.1, 0.3, 0.5, 0.7, 0.9], [0.97, 0.91, 0.48, 0.12, 0.03], count=100)
    >>> round(fit.midpoint, 2), fit.names
    (0.5, ('midpoint', 'slope'))
    """
    _check_asymptotes(ceiling, floor)
    free = np.array([True, True, ceiling is None, floor is None])
    points = checked_points(compression, survival, count, int(free.sum()))
    centre, scale = float(points.compression.mean()), float(points.compression.std())
    standard = replace(points, compression=(points.compression - centre) / scale)
    parameters = _best(standard, _starts(standard, ceiling, floor), free)
    _check_slope(float(parameters[1]))
    return _described(standard, parameters, free, (centre, scale))


def _check_asymptotes(ceiling: float | None, floor: float | None) -> None:
    if ceiling is not None and not 0 < ceiling <= 1:
        msg = f"fit_sigmoid.ceiling must lie in (0, 1], or be None to be fitted; got {ceiling}."
        raise ValueError(msg)
    below = 1.0 if ceiling is None else ceiling
    if floor is not None and not 0 <= floor < below:
        msg = f"fit_sigmoid.floor must lie in [0, {below:g}), below the ceiling, or be None to be fitted; got {floor}."
        raise ValueError(msg)


def _starts(points: Points, ceiling: float | None, floor: float | None) -> list[Floats]:
    """Return where to start: at asymptotes close to the points, and at the widest."""
    lowest, highest = float(points.survival.min()), float(points.survival.max())
    least = min(0.98 * lowest, 0.5 * (ceiling or 1.0)) if floor is None else floor
    most = min(1.0, max(1.02 * highest, least + 0.5 * (1 - least))) if ceiling is None else ceiling
    close = _start(points, most, least)
    if ceiling is not None and floor is not None:
        return [close]
    return [close, _start(points, 1.0 if ceiling is None else ceiling, 0.0 if floor is None else floor)]


def _start(points: Points, ceiling: float, floor: float) -> Floats:
    """Return the parameters of the least-squares line through the logits."""
    share = (points.survival - floor) / (ceiling - floor)
    gradient, level = np.polyfit(points.compression, logit(np.clip(share, 0.05, 0.95)), 1)
    return np.array([level, -gradient, ceiling, floor])


def _best(points: Points, starts: list[Floats], free: Mask) -> Floats:
    """Return the most likely of the maxima that the starts lead to; raise what stopped the last if none does."""
    found, stopped = [], RuntimeError("fit_sigmoid has nowhere to start.")
    for start in starts:
        try:
            found.append(maximise(points, start, free))
        except RuntimeError as error:
            stopped = error
    if not found:
        raise stopped
    return min(found, key=lambda parameters: deviance(points, *mean_and_rest(parameters, points.compression)))


def _check_slope(steepness: float) -> None:
    if abs(steepness) < FLATTEST:
        msg = (
            "fit_sigmoid found no slope at all: survival neither rises nor falls with compression, so the curve "
            "has no midpoint. Report the mean survival, or add purifiers of other compression."
        )
        raise RuntimeError(msg)


def _described(points: Points, parameters: Floats, free: Mask, units: tuple[float, float]) -> SigmoidFit:
    """Return the fit in the units of compression, given standardised points and parameters."""
    centre, scale = units
    level, steepness, ceiling, floor = map(float, parameters)
    purifiers, asked = len(points.survival), int(free.sum())
    dispersion = float(np.sum(whitened(points, parameters)[1] ** 2)) / (purifiers - asked)
    lost = deviance(points, *mean_and_rest(parameters, points.compression))
    kept = inside(parameters, free)
    covariance = _covariance(points, parameters, kept, scale) * max(dispersion, 1.0)
    return SigmoidFit(
        midpoint=centre + scale * level / steepness,
        slope=steepness / scale,
        ceiling=ceiling,
        floor=floor,
        names=tuple(name for name, told in zip(PARAMETERS, kept, strict=True) if told),
        covariance=tuple(tuple(row) for row in covariance.tolist()),
        dispersion=dispersion,
        degrees_of_freedom=purifiers - asked,
        deviance=lost,
        count=float(points.count.mean()),
        aicc=corrected_criterion(lost, dispersion, asked, purifiers),
        aicc_constant=corrected_criterion(fit_constant(points).deviance, dispersion, 1, purifiers),
        aicc_line=corrected_criterion(fit_line(points).deviance, dispersion, 2, purifiers),
    )


def _covariance(points: Points, parameters: Floats, kept: Mask, scale: float) -> Floats:
    """Return the inverse Fisher information, carried from (level, steepness) to (midpoint, slope)."""
    level, steepness = parameters[:2]
    change = np.eye(len(PARAMETERS))
    change[0, :2] = scale / steepness, -scale * level / steepness**2
    change[1, :2] = 0.0, 1 / scale
    gradient = whitened(points, parameters)[0][:, kept]
    spread = change[np.ix_(kept, kept)] @ np.linalg.pinv(gradient)
    covariance: Floats = spread @ spread.T
    return covariance
