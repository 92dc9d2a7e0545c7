"""The part of a large Jacobian's spectrum that matters, to a tolerance: leading values, share below, and norm."""

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
import xarray as xr
from torch import Tensor

from purigeom.geometry.jacobian import Jacobian
from purigeom.geometry.matrices import normal_vectors
from purigeom.geometry.spectrum.adaptive import Tolerance, partial_spectrum
from purigeom.geometry.spectrum.lanczos import BLOCK
from purigeom.measurements.configuration import (
    by_images,
    check_settings,
    configurations,
    labelled,
    refuse_black_box,
)
from purigeom.noise import Noise
from purigeom.protocols import Batch, RandomMap
from purigeom.schema import (
    LEADING_ERROR,
    LEADING_SINGULAR_VALUE,
    NETWORK_DEVIATION,
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
_PLAIN = (ROOT_MEAN_SQUARE, ROOT_MEAN_SQUARE_ERROR, PRODUCTS, TOLERANCE_MET, PARTICIPATION_RATIO, NETWORK_DEVIATION)
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
        Let networks compute in bfloat16, while states and vectors keep their type; what that changes is measured.
    """

    version: ClassVar[int] = 1
    label: ClassVar[str] = "leading-spectrum"
    tolerance: Tolerance = Tolerance()
    draws: int = 1
    half_precision: bool = False

    def __post_init__(self) -> None:
        check_settings(self, draws=self.draws)

    def __call__(self, purifier: RandomMap, batch: Batch, noise: Noise) -> xr.Dataset:
        refuse_black_box(self, purifier)
        drawn = [
            by_images(purifier, batch, pinned, BLOCK, self._answer) for pinned in configurations(noise, self.draws)
        ]
        found = {
            variable: torch.stack(parts) for variable, parts in zip(_VARIABLES, zip(*drawn, strict=True), strict=True)
        }
        found |= {variable: found[variable][None] for variable in _BY_THRESHOLD}
        return labelled(list(found.items()), batch, self.draws, threshold=[self.tolerance.threshold])

    def _answer(self, jacobian: Jacobian, pinned: Noise) -> tuple[Tensor, ...]:
        """Return one configuration's numbers, in the order of their variables."""
        start = pinned.child("lanczos")
        used = replace(jacobian, narrow=torch.bfloat16) if self.half_precision else jacobian
        found = partial_spectrum(used, start, self.tolerance)
        met = found.leading.met & found.share.met & found.root_mean_square.met
        deviation = _deviation(used, jacobian, start) if self.half_precision else torch.zeros_like(found.share.value)
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
            met,
            found.participation_ratio,
            deviation,
        )


def _deviation(narrow: Jacobian, full: Jacobian, noise: Noise) -> Tensor:
    vectors = normal_vectors(full, noise, COMPARED)
    exact = full.push(vectors).flatten(1)
    return (narrow.push(vectors).flatten(1) - exact).norm(dim=1) / exact.norm(dim=1)
