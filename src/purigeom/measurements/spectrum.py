"""In which directions, and how strongly, a purifier compresses: all singular values of its Jacobian."""

from dataclasses import dataclass
from typing import ClassVar

import torch
import xarray as xr
from torch import Tensor

from purigeom.geometry.differences import Differences, difference_error
from purigeom.geometry.jacobian import Jacobian
from purigeom.geometry.spectrum.exact import VECTORS_AT_ONCE, singular_values
from purigeom.measurements.configuration import (
    by_draws,
    check_settings,
    configurations,
    labelled,
    refuse_piecewise_constant,
)
from purigeom.noise import Noise
from purigeom.protocols import Batch, RandomMap, declaration
from purigeom.schema import DIFFERENCE_ERROR, SINGULAR_VALUE


@dataclass(frozen=True)
class Spectrum:
    """Compute all singular values exactly; for small images, since an image costs as many products as pixels.

    A purifier that declares no derivatives is measured by central differences, with their error beside it. A
    piecewise constant one is refused: its Jacobian is zero, which says nothing of finite displacements.
    """

    version: ClassVar[int] = 2
    label: ClassVar[str] = "spectrum"
    differentiates: ClassVar[bool] = True
    draws: int = 1

    def __post_init__(self) -> None:
        check_settings(self, draws=self.draws)

    def __call__(self, purifier: RandomMap, batch: Batch, noise: Noise) -> xr.Dataset:
        refuse_piecewise_constant(self, purifier)
        answer = _by_differences if declaration(purifier).differentiability == "none" else _exactly
        values, errors = by_draws(purifier, batch, configurations(noise, self.draws), VECTORS_AT_ONCE, answer)
        return labelled([(SINGULAR_VALUE, values), (DIFFERENCE_ERROR, errors)], batch, self.draws)


def _exactly(jacobian: Jacobian, pinned: Noise) -> tuple[Tensor, Tensor]:
    del pinned
    values = singular_values(jacobian)
    return values, torch.zeros_like(values[:, 0])


def _by_differences(jacobian: Jacobian, pinned: Noise) -> tuple[Tensor, Tensor]:
    differences = Differences(jacobian.image_map, jacobian.images)
    values = singular_values(differences)
    relative = difference_error(differences, pinned.child("differences"))
    return values, relative * values.norm(dim=1)
