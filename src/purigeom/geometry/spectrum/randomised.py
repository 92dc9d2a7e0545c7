"""Leading singular triplets by a randomised sketch: simple, and the yardstick for the Lanczos method."""

from dataclasses import dataclass

import torch
from torch import Tensor

from purigeom.geometry.company import multiplied
from purigeom.geometry.matrices import Matrices, normal_vectors, orthonormal
from purigeom.geometry.spectrum.triplets import Triplets
from purigeom.noise import Noise


def randomised_triplets(
    matrices: Matrices, noise: Noise, count: int, oversampling: int = 10, powers: int = 2
) -> Triplets:
    """Return the `count` leading singular triplets (Halko, Martinsson and Tropp 2011, algorithms 4.4 and 5.1).

    The algorithms run on the transposes, so that J v = s u holds to rounding and the residual |J'u - s v|
    tells the error. All products come in batches of count + oversampling vectors.

    Parameters
    ----------
    matrices
        One matrix J per image.
    noise
        Draws the random vectors, in the space of rows.
    count
        How many triplets to return.
    oversampling
        How many more random vectors to draw than triplets are wanted.
    powers
        How often J J' is applied to sharpen the sketch: its error falls with the (2 powers + 1)-th power of
        the decay of the singular values. Costs 2 powers + 2 batches of products, and one of `count` vectors.
    """
    _, rows, columns = matrices.shape
    _check(count, oversampling, powers, min(rows, columns))
    width = min(count + oversampling, rows, columns)
    right = orthonormal(matrices.pull(normal_vectors(_Transposed(matrices), noise, width)))
    for _ in range(powers):
        left = orthonormal(matrices.push(right))
        right = orthonormal(matrices.pull(left))
    return _best_within(matrices, right, count, products=(2 * powers + 2) * width + count)


def _best_within(matrices: Matrices, basis: Tensor, count: int, products: int) -> Triplets:
    """Return the leading triplets of J restricted to the span of an orthonormal basis (Rayleigh and Ritz)."""
    left, values, mixing = torch.linalg.svd(matrices.push(basis), full_matrices=False)
    left, values, right = left[..., :count], values[:, :count], multiplied(basis, mixing.mT[..., :count])
    residuals = (matrices.pull(left) - right * values.unsqueeze(1)).norm(dim=1)
    return Triplets(left, values, right, residuals, products)


def _check(count: int, oversampling: int, powers: int, most: int) -> None:
    if not 1 <= count <= most:
        msg = f"randomised_triplets needs a count from 1 to {most}, the smaller side of the matrices; got {count}."
        raise ValueError(msg)
    if oversampling < 0 or powers < 0:
        msg = f"randomised_triplets needs oversampling and powers of at least 0; got {oversampling} and {powers}."
        raise ValueError(msg)


@dataclass(frozen=True)
class _Transposed:
    """The transposes of matrices."""

    matrices: Matrices

    @property
    def shape(self) -> tuple[int, int, int]:
        images, rows, columns = self.matrices.shape
        return images, columns, rows

    @property
    def like(self) -> Tensor:
        return self.matrices.like

    def push(self, tangents: Tensor) -> Tensor:
        return self.matrices.pull(tangents)

    def pull(self, cotangents: Tensor) -> Tensor:
        return self.matrices.push(cotangents)
