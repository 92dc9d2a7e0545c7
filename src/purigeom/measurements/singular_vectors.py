"""What passes a purifier most easily, and what comes out of it strongest, as images to look at."""

from dataclasses import dataclass
from typing import ClassVar

import torch
import xarray as xr
from torch import Tensor

from purigeom.geometry.jacobian import Jacobian
from purigeom.geometry.spectrum.adaptive import Tolerance, partial_spectrum
from purigeom.geometry.spectrum.lanczos import BLOCK
from purigeom.measurements.configuration import (
    by_draws,
    check_settings,
    configurations,
    labelled,
    nonzero,
    refuse_without_slope,
)
from purigeom.noise import Noise
from purigeom.protocols import Batch, RandomMap
from purigeom.schema import LEFT_SINGULAR_VECTOR, PAIR_SINGULAR_VALUE, RIGHT_SINGULAR_VECTOR


@dataclass(frozen=True)
class SingularVectors:
    """Keep the leading singular vectors of every image; for few images, since each is as large as an image.

    The sign of a pair is chosen so that the right vector's entry of largest magnitude is positive. A singular value
    that is zero to rounding has no vectors of its own: they are NaN.

    Parameters
    ----------
    tolerance
        How many pairs, and how well their singular values are to be known.
    draws
        Number of random configurations.
    """

    version: ClassVar[int] = 2
    label: ClassVar[str] = "singular-vectors"
    differentiates: ClassVar[bool] = True
    tolerance: Tolerance = Tolerance(count=4)
    draws: int = 1

    def __post_init__(self) -> None:
        check_settings(self, draws=self.draws)

    def __call__(self, purifier: RandomMap, batch: Batch, noise: Noise) -> xr.Dataset:
        refuse_without_slope(self, purifier)
        found = by_draws(purifier, batch, configurations(noise, self.draws), BLOCK, self._answer)
        variables = (PAIR_SINGULAR_VALUE, LEFT_SINGULAR_VECTOR, RIGHT_SINGULAR_VECTOR)
        return labelled(list(zip(variables, found, strict=True)), batch, self.draws)

    def _answer(self, jacobian: Jacobian, pinned: Noise) -> tuple[Tensor, Tensor, Tensor]:
        triplets = partial_spectrum(jacobian, pinned.child("lanczos"), self.tolerance).triplets
        largest = triplets.right.gather(1, triplets.right.abs().argmax(1, keepdim=True))
        known = nonzero(triplets.values).unsqueeze(1)
        left, right = (
            (vectors * largest.sign()).where(known, torch.nan).mT.unflatten(2, jacobian.images.shape[1:])
            for vectors in (triplets.left, triplets.right)
        )
        return triplets.values, left, right
