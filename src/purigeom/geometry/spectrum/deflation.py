"""What a run's bases do not know of |J|_F^2 and of |J'J|_F^2, from a few pushes beyond them."""

from dataclasses import dataclass, fields

import torch
from scipy.special import stdtrit
from torch import Tensor

from purigeom.geometry.company import image_by_image, multiplied
from purigeom.geometry.matrices import Matrices, normal_vectors
from purigeom.geometry.spectrum.lanczos import Bidiagonal
from purigeom.noise import Noise

FEWEST = 4
"""Pushes beyond the bases on which a remainder and its error rest at least."""


@dataclass(frozen=True)
class Remainder:
    """The part C = (I - U U') J (I - V V') that a run's bases do not know, one number per image in every field.

    Attributes
    ----------
    known
        What they do know of |J|_F^2: |J V|_F^2, and |U' J (I - V V')|_F^2 from the last pull.
    value
        |C|_F^2, estimated.
    error
        Its standard error.
    fourth
        |C'C|_F^2, the sum of fourth powers of its singular values, estimated.
    fourth_error
        Its standard error.
    products
        How many vectors were pushed for it.
    """

    known: Tensor
    value: Tensor
    error: Tensor
    fourth: Tensor
    fourth_error: Tensor
    products: Tensor

    def of_image(self, place: int) -> "Remainder":
        """Return what is known of one image."""
        one = slice(place, place + 1)
        return Remainder(*(getattr(self, field.name)[one] for field in fields(self)))

    def root_mean_square(self, size: int) -> tuple[Tensor, Tensor]:
        """Return |J|_F / sqrt(size), and relative to it half the width of its 95 % interval."""
        total = self.known + self.value
        value = (total / size).sqrt()
        return value, (self._reach() * self.error / total).where(total > 0, 0) / 2

    def participation_ratio(self, runs: list[Bidiagonal]) -> tuple[Tensor, Tensor]:
        """Return |J|_F^4 / |J'J|_F^2, and relative to it how far it may be off.

        With R the residual and F the block it points to, |J'J|_F^2 is |B B' + R'R|_F^2, where R'R is in the corner of
        the last block, and |C'C|_F^2, and twice |C F R|_F^2, of which a bound is known: half of that is taken.
        """
        total = self.known + self.value
        seen = torch.stack([_fourth_power(run) for run in runs])
        residual = torch.stack([run.residual.double().square().sum() for run in runs])
        between = residual * self.fourth.sqrt()
        fourth = seen + self.fourth + between
        _, norm_error = self.root_mean_square(1)
        error = 4 * norm_error + (between + self._reach() * self.fourth_error) / fourth
        return (total.square() / fourth).where(fourth > 0, 0), error.where(fourth > 0, 0)

    def _reach(self) -> Tensor:
        """Return Student's t for a 95 % interval."""
        return torch.as_tensor(stdtrit((self.products - 1).cpu().double().numpy(), 0.975)).to(self.value)


def deflated(matrices: Matrices, runs: list[Bidiagonal], noise: Noise, count: int, first: int = 0) -> Tensor:
    """Return C u, (image, row, vector), for random directions u beyond V at a length whose mean |C u|^2 is |C|_F^2.

    Directions are uniform on a sphere, not normal vectors: what a vector's own length would add is no news of J.
    """
    tangents = normal_vectors(matrices, noise, count, first)
    rights, lefts = (
        [side[0] for side in sides] for sides in zip(*((run.right, run.left) for run in runs), strict=True)
    )
    beyond = torch.stack([_outside(one, basis) for one, basis in zip(tangents, rights, strict=True)])
    dimensions = _dimensions(runs).unsqueeze(1)
    scale = (dimensions.sqrt() / beyond.double().norm(dim=1)).where(dimensions > 0, 0)
    pushed = matrices.push(beyond)
    found = torch.stack([_outside(one, basis) for one, basis in zip(pushed, lefts, strict=True)])
    return found.double() * scale.unsqueeze(1)


def remainder(matrices: Matrices, runs: list[Bidiagonal], noise: Noise, tolerance: float, most: Tensor) -> Remainder:
    """Push beyond the bases until every image's RMS is known to a relative tolerance, or its `most` vectors are spent.

    An image's answer is that of the push at which it met the tolerance: the images beside it do not matter.
    """
    known = torch.stack([run.middle.double().square().sum() + run.residual.double().square().sum() for run in runs])
    found = deflated(matrices, runs, noise, FEWEST)
    answer = _summary(known, _dimensions(runs), found)
    while (unmet := _unmet(answer, tolerance) & (answer.products + FEWEST <= most)).any():
        found = torch.cat([found, deflated(matrices, runs, noise, FEWEST, found.shape[2])], 2)
        answer = _kept(answer, _summary(known, _dimensions(runs), found), unmet)
    return answer


def _unmet(answer: Remainder, tolerance: float) -> Tensor:
    _, error = answer.root_mean_square(1)
    return error > tolerance


def _dimensions(runs: list[Bidiagonal]) -> Tensor:
    """Return how many dimensions lie outside V."""
    return torch.stack([run.right.shape[1] - run.right.double().square().sum().round() for run in runs])


def _summary(known: Tensor, dimensions: Tensor, found: Tensor) -> Remainder:
    """Estimate |C|_F^2 by lengths, and |C'C|_F^2 by squared products of pairs, which are independent of each other.

    The second is no less than the square of the first over the number of dimensions that share it.
    """
    count = found.shape[2]
    gram = multiplied(found.mT, found)
    samples = gram.diagonal(dim1=1, dim2=2)
    row, column = torch.triu_indices(count, count, 1)
    pairs = gram[:, row, column].square()
    products = torch.full_like(known, count, dtype=torch.int64)
    value, error = (image_by_image(reduced, samples) for reduced in (torch.mean, torch.std))
    mean_square, deviation = (image_by_image(reduced, pairs) for reduced in (torch.mean, torch.std))
    fourth = torch.maximum(mean_square, value.square() / dimensions.clamp(min=1))
    return Remainder(known, value, error / count**0.5, fourth, deviation / (count / 2) ** 0.5, products)


def _kept(earlier: Remainder, later: Remainder, unmet: Tensor) -> Remainder:
    """Return for every image the later numbers where the earlier ones did not suffice."""
    names = [field.name for field in fields(later)]
    return Remainder(*(getattr(later, name).where(unmet, getattr(earlier, name)) for name in names))


def _fourth_power(run: Bidiagonal) -> Tensor:
    middle, residual = run.middle[0].double(), run.residual[0].double()
    squares = middle @ middle.mT
    squares[-run.block :, -run.block :] += residual.mT @ residual
    return squares.square().sum()


def _outside(vectors: Tensor, basis: Tensor) -> Tensor:
    return vectors - basis @ (basis.mT @ vectors)
