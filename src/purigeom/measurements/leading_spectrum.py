"""The part of a large Jacobian's spectrum that matters, to a tolerance: leading values, share below, and norm."""

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
import xarray as xr
from torch import Tensor

from purigeom.geometry.jacobian import Jacobian
from purigeom.geometry.matrices import normal_vectors
from purigeom.geometry.spectrum.adaptive import Estimate, PartialSpectrum, Tolerance, partial_spectrum
from purigeom.geometry.spectrum.lanczos import BLOCK
from purigeom.measurements.configuration import (
    by_draws,
    check_settings,
    configurations,
    labelled,
    refuse_without_slope,
)
from purigeom.noise import Noise
from purigeom.protocols import Batch, RandomMap
from purigeom.schema import (
    LEADING_ERROR,
    LEADING_SINGULAR_VALUE,
    NETWORK_DEVIATION,
    PARTICIPATION_ERROR,
    PARTICIPATION_RATIO,
    PRODUCTS,
    ROOT_MEAN_SQUARE,
    ROOT_MEAN_SQUARE_ERROR,
    SHARE_BELOW,
    SHARE_ERROR,
    SHARE_LEAST,
    SHARE_MOST,
    TOLERANCE_MET,
)

COMPARED = 2
"""Vectors pushed both ways to see what a network in half precision costs."""
_BY_THRESHOLD = (SHARE_BELOW, SHARE_ERROR, SHARE_LEAST, SHARE_MOST)
_PARTICIPATION = (PARTICIPATION_RATIO, PARTICIPATION_ERROR)
_PLAIN = (ROOT_MEAN_SQUARE, ROOT_MEAN_SQUARE_ERROR, PRODUCTS, TOLERANCE_MET, *_PARTICIPATION, NETWORK_DEVIATION)
_VARIABLES = (LEADING_SINGULAR_VALUE, LEADING_ERROR, *_BY_THRESHOLD, *_PLAIN)


@dataclass(frozen=True)
class LeadingSpectrum:
    """Push and pull until the tolerance is met, by block Golub-Kahan-Lanczos; every number comes with its error.

    Parameters
    ----------
    tolerance
        What to know, how well, and at how many products at most. A result that did not get there says so.
    draws
        Number of random configurations.
    half_precision
        Let networks compute in bfloat16, while states and vectors keep their type; what that changes is measured, and
        added to the errors. For float32 images.
    """

    version: ClassVar[int] = 2
    label: ClassVar[str] = "leading-spectrum"
    differentiates: ClassVar[bool] = True
    tolerance: Tolerance = Tolerance()
    draws: int = 1
    half_precision: bool = False

    def __post_init__(self) -> None:
        check_settings(self, draws=self.draws)

    def __call__(self, purifier: RandomMap, batch: Batch, noise: Noise) -> xr.Dataset:
        refuse_without_slope(self, purifier)
        answers = by_draws(purifier, batch, configurations(noise, self.draws), BLOCK, self._answer)
        found = dict(zip(_VARIABLES, answers, strict=True))
        found |= {variable: found[variable][None] for variable in _BY_THRESHOLD}
        return labelled(list(found.items()), batch, self.draws, threshold=[self.tolerance.threshold])

    def _answer(self, jacobian: Jacobian, pinned: Noise) -> tuple[Tensor, ...]:
        """Return one configuration's numbers, in the order of their variables."""
        start = pinned.child("lanczos")
        used = replace(jacobian, narrow=torch.bfloat16) if self.half_precision else jacobian
        found = partial_spectrum(used, start, self.tolerance)
        deviation = torch.zeros_like(found.share.value)
        if self.half_precision:
            deviation = _deviation(used, jacobian, start).to(deviation)
            found = _widened(found, deviation, self.tolerance, 1 / jacobian.shape[2])
        return (
            found.leading.value,
            found.leading.error,
            found.share.value,
            found.share.error,
            found.least_share,
            found.most_share,
            found.root_mean_square.value,
            found.root_mean_square.error,
            found.products,
            found.leading.met & found.share.met & found.root_mean_square.met,
            found.participation_ratio,
            found.participation_error,
            deviation,
        )


def _deviation(narrow: Jacobian, full: Jacobian, noise: Noise) -> Tensor:
    """Return how far products with a narrow network are from full ones, relative to these; zero where both are."""
    vectors = normal_vectors(full, noise, COMPARED)
    exact = full.push(vectors).flatten(1)
    apart = (narrow.push(vectors).flatten(1) - exact).norm(dim=1)
    return (apart / exact.norm(dim=1)).where(apart > 0, 0)


def _widened(found: PartialSpectrum, deviation: Tensor, tolerance: Tolerance, one: float) -> PartialSpectrum:
    """Return what was found of a narrow network with the errors that it has as an answer about the full one.

    A deviation of products moves the norm by as much at most, and values above the root mean square by no more, in
    all but contrived cases; smaller ones by as much in absolute terms. Of the share, `one` value's part may lie on
    either side of the threshold besides.
    """
    moved = deviation + one * (deviation > 0)
    leading, share, root = found.leading, found.share, found.root_mean_square
    below = (root.value.unsqueeze(1) / leading.value).clamp(min=1).where(leading.value > 0, 1)
    return replace(
        found,
        leading=_further(leading, deviation.unsqueeze(1) * below, tolerance.leading),
        share=_further(share, moved, tolerance.share),
        least_share=(found.least_share - moved).clamp(min=0),
        most_share=(found.most_share + moved).clamp(max=1),
        root_mean_square=_further(root, deviation, tolerance.root_mean_square),
        participation_error=found.participation_error + 8 * deviation,
    )


def _further(estimate: Estimate, deviation: Tensor, allowed: float) -> Estimate:
    """Return an estimate that may be further off, and whether it is still within what is allowed."""
    error = estimate.error + deviation
    within = (error <= allowed).reshape(len(error), -1).all(1)
    return replace(estimate, error=error, met=estimate.met & within)
