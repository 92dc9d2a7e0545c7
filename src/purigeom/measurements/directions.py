"""Which directions a purifier lets pass: along the data or across it, and whether what goes in is what comes out."""

from dataclasses import dataclass
from typing import ClassVar

import torch
import xarray as xr
from torch import Tensor

from purigeom.geometry.jacobian import Jacobian
from purigeom.geometry.spectrum.adaptive import Tolerance, partial_spectrum
from purigeom.geometry.spectrum.directions import alignment, on_and_off
from purigeom.geometry.spectrum.eigenvalues import leading_eigenvalues
from purigeom.geometry.spectrum.lanczos import BLOCK
from purigeom.geometry.tangents import tangents
from purigeom.measurements.configuration import (
    by_draws,
    check_settings,
    configurations,
    labelled,
    nonzero,
    refuse_without_slope,
)
from purigeom.noise import Noise
from purigeom.protocols import Batch, ImageSet, RandomMap
from purigeom.schema import (
    EIGENVALUE_MAGNITUDE,
    EIGENVALUE_RESIDUAL,
    LEFT_RIGHT_ALIGNMENT,
    OFF_MANIFOLD,
    ON_MANIFOLD,
)

_VARIABLES = (LEFT_RIGHT_ALIGNMENT, EIGENVALUE_MAGNITUDE, EIGENVALUE_RESIDUAL, ON_MANIFOLD, OFF_MANIFOLD)


@dataclass(frozen=True)
class Directions:
    """Compare leading singular spaces with each other, and compression along the data with compression across it.

    The data's directions at an image are the leading principal directions of its nearest neighbours, an estimate
    that depends on both counts below. Where a leading singular value is zero to rounding, the leading spaces are not
    known and their alignment is NaN.

    Parameters
    ----------
    data
        Images among which neighbours are found, such as the training set.
    along
        Number of directions taken to lie along the data.
    neighbours
        Number of neighbours that these are found from.
    tolerance
        How well leading singular vectors and the norm are to be known.
    steps
        Products spent on eigenvalues, as many of which are stored as singular values are asked for.
    draws
        Number of random configurations.
    """

    version: ClassVar[int] = 2
    label: ClassVar[str] = "directions"
    differentiates: ClassVar[bool] = True
    data: ImageSet
    along: int = 8
    neighbours: int = 32
    tolerance: Tolerance = Tolerance()
    steps: int = 40
    draws: int = 1

    def __post_init__(self) -> None:
        check_settings(self, draws=self.draws, along=self.along, neighbours=self.neighbours, steps=self.steps)

    def __call__(self, purifier: RandomMap, batch: Batch, noise: Noise) -> xr.Dataset:
        refuse_without_slope(self, purifier)
        found = by_draws(purifier, batch, configurations(noise, self.draws), BLOCK, self._answer)
        return labelled(list(zip(_VARIABLES, found, strict=True)), batch, self.draws)

    def _answer(self, jacobian: Jacobian, pinned: Noise) -> tuple[Tensor, ...]:
        """Return one configuration's numbers, in the order of their variables."""
        found = partial_spectrum(jacobian, pinned.child("lanczos"), self.tolerance)
        eigenvalues = leading_eigenvalues(jacobian, pinned.child("arnoldi"), self.tolerance.count, self.steps)
        data = self.data.load().images.to(jacobian.images)
        basis = tangents(jacobian.images, data, self.along, self.neighbours)
        split = on_and_off(jacobian, basis, found.root_mean_square.value.to(basis))
        overlap = alignment(found.triplets.left, found.triplets.right)
        overlap = overlap.where(nonzero(found.triplets.values).all(1), torch.nan)
        return overlap, eigenvalues.values.abs(), eigenvalues.residuals, split.on, split.off
