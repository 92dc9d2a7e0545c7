"""What can be asked of a spectrum, and what is answered: numbers, each with how far it may be off."""

from dataclasses import dataclass

import torch
from torch import Tensor

from purigeom.geometry.spectrum.triplets import Triplets

ROUNDINGS = 8
"""Machine precisions within which numbers are the same, and no relative error is stated below."""


@dataclass(frozen=True)
class Tolerance:
    """What to know of a spectrum, how well, and at what cost at most.

    Parameters
    ----------
    count
        How many leading singular values.
    leading
        Their largest relative error.
    threshold
        Singular values below it count as compressed directions.
    share
        Largest error of their share: 0.01 is a percentage point.
    root_mean_square
        Largest relative error of the root-mean-square compression.
    most_products
        Where to stop, met or not.
    """

    count: int = 10
    leading: float = 1e-3
    threshold: float = 0.25
    share: float = 0.01
    root_mean_square: float = 0.01
    most_products: int = 400

    def __post_init__(self) -> None:
        numbers = (self.count, self.leading, self.threshold, self.share, self.root_mean_square, self.most_products)
        if not all(isinstance(number, int | float) and number > 0 for number in numbers):
            msg = f"Tolerance needs numbers above zero; got {self}."
            raise ValueError(msg)
        if self.count != int(self.count) or self.most_products != int(self.most_products):
            msg = f"Tolerance.count and most_products must be whole numbers; got {self}."
            raise ValueError(msg)


@dataclass(frozen=True)
class Estimate:
    """Numbers, how far each may be off, and per image whether that is within the tolerance."""

    value: Tensor
    error: Tensor
    met: Tensor


@dataclass(frozen=True)
class PartialSpectrum:
    """What products have shown of a spectrum.

    Attributes
    ----------
    leading
        The largest singular values, (image, mode), with relative errors.
    share
        The share of singular values below the threshold, per image.
    least_share, most_share
        Between what the share must lie, the upper number rigorously.
    root_mean_square
        |J|_F / sqrt(columns), per image, with its relative error.
    participation_ratio, participation_error
        How many directions share |J|_F^2, per image: (sum s^2)^2 / sum s^4; and its relative error.
    triplets
        The leading values with vectors and residuals.
    products
        How many vectors were pushed or pulled, per image.
    """

    leading: Estimate
    share: Estimate
    least_share: Tensor
    most_share: Tensor
    root_mean_square: Estimate
    participation_ratio: Tensor
    participation_error: Tensor
    triplets: Triplets
    products: Tensor


def rounding(values: Tensor) -> float:
    """Return the smallest relative error that is stated of values of this type."""
    return ROUNDINGS * torch.finfo(values.dtype).eps


def roundings(values: Tensor) -> Tensor:
    """Return how far rounding may have moved values, relative to each: all are moved as far as the largest."""
    moved = rounding(values) * values[:, :1].double()
    return (moved / values.double()).where(moved > 0, 0)
