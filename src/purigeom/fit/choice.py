"""Which curve the data support: a constant, a line, or a sigmoid with or without fitted asymptotes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from purigeom.fit.alternatives import LineFit, corrected_criterion, fit_constant, fit_line
from purigeom.fit.points import Points, aligned_points
from purigeom.fit.sigmoid import SigmoidFit, fit_sigmoid

FEWEST = 10
"""The fewest purifiers that may support a sigmoid: of fewer the scatter, by which curves are judged, is not known."""
MARGIN = 2.0
"""By how many units of QAICc a sigmoid must beat what is simpler; models within two are about as well supported.

Burnham and Anderson, Model Selection and Multimodel Inference, 2002, section 2.6.
"""
SIMPLER = ("constant", "line")
Curve = LineFit | SigmoidFit


@dataclass(frozen=True)
class Choice:
    """The curves that were tried, simplest first, and the one that the data support.

    Parameters
    ----------
    best, fit
        The name and the fit of the curve with the smallest criterion. Sigmoids count only from `FEWEST` purifiers on,
        and only where one beats the constant and the line by more than `MARGIN`.
    criteria
        QAICc by name, all with the dispersion of the richest curve that could be fitted; infinite for a curve that
        could not, or that has too few purifiers for the correction.
    refused
        Why, by name, of the curves that could not be fitted.
    """

    purifiers: int
    best: str
    fit: Curve
    dispersion: float
    criteria: Mapping[str, float]
    refused: Mapping[str, str]

    @property
    def supports_sigmoid(self) -> bool:
        """Whether the data support a sigmoid over a constant and a line."""
        return self.best not in SIMPLER

    @property
    def sentence(self) -> str:
        """Say in plain words what the purifiers support, and by how much."""
        simpler = min(SIMPLER, key=lambda name: self.criteria[name])
        if self.supports_sigmoid:
            lead = self.criteria[simpler] - self.criteria[self.best]
            return f"{self.purifiers} purifiers support a {self.best} over a {simpler} by {lead:.1f} units of QAICc."
        return f"{self.purifiers} purifiers do not support a sigmoid: {self._lack(simpler)}."

    def _lack(self, simpler: str) -> str:
        sigmoids = [name for name in self.criteria if name not in SIMPLER and np.isfinite(self.criteria[name])]
        if self.purifiers < FEWEST:
            return f"it takes at least {FEWEST} to tell one from a line or a constant"
        if not sigmoids:
            why = self.refused.get("sigmoid", "too few purifiers for its parameters").rstrip(".")
            return f"none could be fitted ({why})"
        best = min(sigmoids, key=lambda name: self.criteria[name])
        lead = self.criteria[simpler] - self.criteria[best]
        if lead < 0:
            return f"a {simpler} is better than a {best} by {-lead:.1f} units of QAICc"
        return f"a {best} is better than a {simpler} by only {lead:.1f} units of QAICc"


def chosen(compression: ArrayLike, survival: ArrayLike, count: ArrayLike) -> Choice:
    """Fit a constant, a line and sigmoids with fixed and fitted asymptotes; return what QAICc supports.

    Examples
    --------
    >>> chosen([0.1, 0.2, 0.4, 0.6, 0.8, 0.9], [0.97, 0.95, 0.7, 0.2, 0.05, 0.04], count=100).sentence
    '6 purifiers do not support a sigmoid: it takes at least 10 to tell one from a line or a constant.'
    """
    points = aligned_points(compression, survival, count)
    if len(points.survival) < 3:
        msg = f"chosen needs at least 3 purifiers to tell a line from a constant; got {len(points.survival)}."
        raise ValueError(msg)
    fits, refused = _fitted(points)
    dispersion = next(fit.dispersion for fit in reversed(fits.values()))
    criteria = dict.fromkeys(CANDIDATES, float("inf"))
    for name, fit in fits.items():
        criteria[name] = corrected_criterion(
            fit.deviance, dispersion, CANDIDATES[name].parameters, len(points.survival)
        )
    best = _best(criteria, len(points.survival))
    return Choice(len(points.survival), best, fits[best], dispersion, criteria, refused)


@dataclass(frozen=True)
class _Candidate:
    parameters: int
    fit: Callable[[Points], Curve]


def _sigmoid(ceiling: float | None, floor: float | None) -> Callable[[Points], Curve]:
    return lambda points: fit_sigmoid(points.compression, points.survival, points.count, ceiling, floor)


CANDIDATES: Mapping[str, _Candidate] = {
    "constant": _Candidate(1, fit_constant),
    "line": _Candidate(2, fit_line),
    "sigmoid": _Candidate(2, _sigmoid(1.0, 0.0)),
    "sigmoid (ceiling fitted)": _Candidate(3, _sigmoid(None, 0.0)),
    "sigmoid (floor fitted)": _Candidate(3, _sigmoid(1.0, None)),
    "sigmoid (ceiling and floor fitted)": _Candidate(4, _sigmoid(None, None)),
}
"""What is tried, simplest first."""


def _fitted(points: Points) -> tuple[dict[str, Curve], dict[str, str]]:
    fits, refused = {}, {}
    for name, candidate in CANDIDATES.items():
        try:
            fits[name] = candidate.fit(points)
        except (ValueError, RuntimeError) as error:
            refused[name] = str(error)
    return fits, refused


def _best(criteria: Mapping[str, float], purifiers: int) -> str:
    simpler = min(SIMPLER, key=lambda name: criteria[name])
    best = min(criteria, key=lambda name: criteria[name])
    enough = purifiers >= FEWEST and criteria[best] < criteria[simpler] - MARGIN
    return best if enough else simpler
