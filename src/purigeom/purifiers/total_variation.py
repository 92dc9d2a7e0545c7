"""Total-variation denoising by a fixed number of dual iterations."""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import torch
from torch import Tensor
from torch.nn.functional import pad

from purigeom.noise import Noise
from purigeom.protocols import Declaration, ImageMap
from purigeom.settings import check_counts, check_positive

Field: TypeAlias = tuple[Tensor, Tensor]

_STEP = 0.25
"""The dual step for images, one over twice the number of axes, as scikit-image chooses it."""


@dataclass(frozen=True)
class TotalVariation:
    """Minimise |u - x|^2 / 2 + weight * TV(u) for every image and channel alone (Chambolle 2004).

    Gradients are those of the unrolled iterations; where the image is flat, the length of its slope gets
    the subgradient zero.

    Parameters
    ----------
    weight
        The larger, the flatter the result.
    iterations
        How often the dual field is updated; there is no stopping rule.
    """

    weight: float = 0.1
    iterations: int = 50

    version: ClassVar[int] = 1
    declaration: ClassVar[Declaration] = Declaration(family="total variation", differentiability="unrolled")

    def __post_init__(self) -> None:
        check_positive(self, "weight")
        check_counts(self, "iterations")

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> ImageMap:
        del noise, image_shape

        def purify(images: Tensor) -> Tensor:
            dual = (torch.zeros_like(images), torch.zeros_like(images))
            for _ in range(self.iterations):
                dual = _updated(dual, images - _divergence(dual), self.weight)
            return (images - _divergence(dual)).clamp(0, 1)

        return purify


def _updated(dual: Field, estimate: Tensor, weight: float) -> Field:
    """Move the dual field against the slope of the estimate, then shrink it towards length `weight`."""
    down, right = _slope(estimate)
    shrink = 1 + _STEP / weight * torch.stack((down, right)).norm(dim=0)
    return (dual[0] - _STEP * down) / shrink, (dual[1] - _STEP * right) / shrink


def _slope(images: Tensor) -> Field:
    """Return forward differences down the rows and along the columns, zero at the far edge."""
    return pad(images.diff(dim=-2), (0, 0, 0, 1)), pad(images.diff(dim=-1), (0, 1, 0, 0))


def _divergence(dual: Field) -> Tensor:
    """Return minus the adjoint of the slope."""
    down, right = dual
    return pad(down, (0, 0, 1, 0)).diff(dim=-2) + pad(right, (1, 0, 0, 0)).diff(dim=-1)
