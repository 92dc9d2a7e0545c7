"""The Frobenius norm from a run's bases and a few pushes beyond them."""

from dataclasses import dataclass

import torch
from scipy.special import stdtrit
from torch import Tensor

from purigeom.geometry.matrices import Matrices, normal_vectors
from purigeom.geometry.spectrum.lanczos import Bidiagonal
from purigeom.noise import Noise

FEWEST = 4
"""Pushes beyond the bases on which a remainder and its error rest at least."""


@dataclass(frozen=True)
class Remainder:
    """The part of |J|_F^2 that a run's bases do not know, with one number per image in every field.

    Attributes
    ----------
    known
        The part they do know, |J V|_F^2.
    value
        |J (I - V V')|_F^2, estimated.
    error
        Its standard error.
    products
        How many vectors were pushed for it.
    """

    known: Tensor
    value: Tensor
    error: Tensor
    products: Tensor

    def of_image(self, place: int) -> "Remainder":
        """Return what is known of one image."""
        one = slice(place, place + 1)
        return Remainder(self.known[one], self.value[one], self.error[one], self.products[one])

    def root_mean_square(self, size: int) -> tuple[Tensor, Tensor]:
        """Return |J|_F / sqrt(size), and relative to it half the width of its 95 % interval."""
        total = self.known + self.value
        value = (total / size).sqrt()
        reach = torch.as_tensor(stdtrit((self.products - 1).cpu().double().numpy(), 0.975)).to(total)
        relative = (reach * self.error / total).where(total > 0, 0)
        return value, relative / 2


def deflated(matrices: Matrices, runs: list[Bidiagonal], noise: Noise, count: int, first: int = 0) -> Tensor:
    """Return |J (I - V V') g|^2 for standard normal g, (image, vector): the remainder, sample by sample."""
    tangents = normal_vectors(matrices, noise, count, first)
    bases = [run.right[0] for run in runs]
    beyond = torch.stack([one - basis @ (basis.mT @ one) for one, basis in zip(tangents, bases, strict=True)])
    return matrices.push(beyond).double().square().sum(1)


def remainder(matrices: Matrices, runs: list[Bidiagonal], noise: Noise, tolerance: float, most: Tensor) -> Remainder:
    """Push beyond the bases until every image's RMS is known to a relative tolerance, or its `most` vectors are spent.

    An image's answer is that of the push at which it met the tolerance: the images beside it do not matter.
    """
    known = torch.stack([run.middle.double().square().sum() for run in runs])
    samples = deflated(matrices, runs, noise, FEWEST)
    answer = _summary(known, samples)
    while (unmet := _unmet(answer, tolerance) & (answer.products + FEWEST <= most)).any():
        samples = torch.cat([samples, deflated(matrices, runs, noise, FEWEST, samples.shape[1])], 1)
        answer = _kept(answer, _summary(known, samples), unmet)
    return answer


def _unmet(answer: Remainder, tolerance: float) -> Tensor:
    _, error = answer.root_mean_square(1)
    return error > tolerance


def _summary(known: Tensor, samples: Tensor) -> Remainder:
    count = samples.shape[1]
    products = torch.full_like(known, count, dtype=torch.int64)
    return Remainder(known, samples.mean(1), samples.std(1) / count**0.5, products)


def _kept(earlier: Remainder, later: Remainder, unmet: Tensor) -> Remainder:
    return Remainder(
        later.known,
        later.value.where(unmet, earlier.value),
        later.error.where(unmet, earlier.error),
        later.products.where(unmet, earlier.products),
    )
