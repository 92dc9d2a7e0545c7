"""Root-mean-square compression from pushes alone, to a tolerance."""

from dataclasses import dataclass

import torch
from scipy.special import stdtrit
from torch import Tensor

from purigeom.geometry.matrices import Matrices, normal_vectors
from purigeom.noise import Noise

BLOCK = 8
"""Vectors pushed at a time, and the fewest that an answer rests on: fewer know too little of their own spread."""


@dataclass(frozen=True)
class RootMeanSquare:
    """The root-mean-square compression |J|_F / sqrt(columns), each field one number per image.

    Attributes
    ----------
    value
        The estimate.
    error
        Half the width of its confidence interval.
    products
        How many vectors were pushed for this image's answer.
    met
        Whether the error is within the tolerance.
    """

    value: Tensor
    error: Tensor
    products: Tensor
    met: Tensor


def root_mean_square(
    matrices: Matrices, noise: Noise, tolerance: float, confidence: float = 0.95, most_products: int = 1024
) -> RootMeanSquare:
    """Estimate how much J stretches tangents in the root mean square, within a relative tolerance.

    Standard normal g have E|J g|^2 = |J|_F^2 (Girard 1989; Hutchinson 1990). The relative variance of the mean
    of K samples is 2 / (K PR), with PR the participation ratio of the singular values, so that about
    2 / (PR tolerance^2) products suffice for 95 %. An image's answer is that of the first block of products
    that meets its tolerance: it does not depend on the images beside it, which may need more.

    Parameters
    ----------
    matrices
        One matrix J per image.
    noise
        Draws the tangents.
    tolerance
        The largest half width of the confidence interval to accept, relative to the estimate.
    confidence
        How often the interval should hold the truth; it does so to within three per cent or so, whatever the
        spectrum, although it also decides when to stop.
    most_products
        Where to give up; images that have not met the tolerance by then say so.
    """
    _check(tolerance, confidence, most_products)
    samples: list[Tensor] = []
    answer = None
    for first in range(0, most_products, BLOCK):
        tangents = normal_vectors(matrices, noise, min(BLOCK, most_products - first), first)
        samples.append(matrices.push(tangents).double().square().sum(1) / matrices.shape[2])
        latest = _estimate(torch.cat(samples, 1), tolerance, confidence, matrices.like.dtype)
        answer = latest if answer is None else _first_met(answer, latest)
        if answer.met.all():
            break
    assert answer is not None
    return answer


def _estimate(samples: Tensor, tolerance: float, confidence: float, dtype: torch.dtype) -> RootMeanSquare:
    """Return the root of the mean sample with Student's interval for its logarithm.

    Samples are skewed, their logarithms less so; the interval's upper, longer half is reported. A rule that
    stops when the spread looks small stops too early more often than too late: the factor 1 + 4 / K makes up
    for it, and vanishes against the variance as K grows (in the spirit of Chow and Robbins 1965).
    """
    count = samples.shape[1]
    variance, mean = torch.var_mean(samples, 1)
    relative = (variance / mean.square()).where(mean != 0, 0) * (1 + 4 / count)
    reach = float(stdtrit(count - 1, (1 + confidence) / 2)) * (relative / count).sqrt()
    value, share = mean.sqrt(), torch.expm1(reach / 2)
    products = torch.full_like(mean, count, dtype=torch.int64)
    return RootMeanSquare(value.to(dtype), (share * value).to(dtype), products, share <= tolerance)


def _first_met(earlier: RootMeanSquare, later: RootMeanSquare) -> RootMeanSquare:
    """Keep the earlier answer of images that had met the tolerance."""
    met = earlier.met
    return RootMeanSquare(
        earlier.value.where(met, later.value),
        earlier.error.where(met, later.error),
        earlier.products.where(met, later.products),
        met | later.met,
    )


def _check(tolerance: float, confidence: float, most_products: int) -> None:
    if not tolerance > 0:
        msg = f"root_mean_square needs a tolerance above 0; got {tolerance}."
        raise ValueError(msg)
    if not 0 < confidence < 1:
        msg = f"root_mean_square needs a confidence between 0 and 1; got {confidence}. For 95 %, write 0.95."
        raise ValueError(msg)
    if most_products < BLOCK:
        msg = (
            f"root_mean_square needs at least {BLOCK} products to know their spread; got most_products={most_products}."
        )
        raise ValueError(msg)
