"""Where singular values lie: how many directions share them, and what happens inside and outside a subspace."""

from dataclasses import dataclass

import torch
from torch import Tensor

from purigeom.geometry.company import image_by_image, multiplied
from purigeom.geometry.matrices import Matrices


def participation_ratio(singular_values: Tensor) -> Tensor:
    """Return how many directions share the stretch, (sum s^2)^2 / sum s^4; zero where all values are zero.

    Examples
    --------
    >>> participation_ratio(torch.tensor([[2.0, 2.0, 2.0, 0.0], [1.0, 0.0, 0.0, 0.0]]))
    tensor([3., 1.])
    """
    largest = singular_values.amax(-1, keepdim=True)
    energies = (singular_values / largest.where(largest > 0, 1)).square()
    return energies.sum(-1).square() / energies.square().sum(-1).clamp(min=1)


def alignment(left: Tensor, right: Tensor) -> Tensor:
    """Return the mean squared cosine of the principal angles between two subspaces, in [0, 1], per image.

    Both are given by orthonormal bases of shape (image, dimension, mode). One for equal spaces; modes over
    dimension, on average, for unrelated ones. Between the leading left and right singular vectors of a
    matrix it tells how far what is kept also stays in place.
    """
    if left.shape != right.shape:
        msg = f"alignment compares bases of the same shape; got {tuple(left.shape)} and {tuple(right.shape)}."
        raise ValueError(msg)
    return (image_by_image(torch.sum, multiplied(left.mT, right).square()) / left.shape[2]).clamp(max=1)


def compression_along(matrices: Matrices, basis: Tensor) -> Tensor:
    """Return the root-mean-square stretch of the tangents in a subspace, |J B|_F / sqrt(vectors), per image.

    `basis` holds orthonormal vectors, (image, column, vector); as many products are needed as it has vectors.
    """
    _check_basis(matrices, basis)
    return image_by_image(torch.sum, matrices.push(basis).square()).div(basis.shape[2]).sqrt()


@dataclass(frozen=True)
class OnAndOff:
    """Root-mean-square stretch, per image, of the tangents `on` a subspace and `off` it, at right angles to it."""

    on: Tensor
    off: Tensor


def on_and_off(matrices: Matrices, basis: Tensor, root_mean_square: Tensor) -> OnAndOff:
    """Split the stretch in the root mean square of all tangents, |J|_F / sqrt(columns), by an orthonormal basis.

    What is not on the basis is off it, |J|_F^2 - |J B|_F^2, spread over the remaining columns: an error of
    `root_mean_square` ends up in `off`, magnified where most of |J|_F is on the basis.
    """
    on = compression_along(matrices, basis)
    columns, modes = basis.shape[1:]
    if modes == columns:
        msg = f"A basis of all {columns} columns leaves nothing off it; on_and_off needs one of fewer vectors."
        raise ValueError(msg)
    left = columns * root_mean_square.square() - modes * on.square()
    return OnAndOff(on, (left.clamp(min=0) / (columns - modes)).sqrt())


def _check_basis(matrices: Matrices, basis: Tensor) -> None:
    images, _, columns = matrices.shape
    if basis.dim() != 3 or basis.shape[:2] != (images, columns):
        msg = f"A basis must be of shape ({images}, {columns}, vector) for these matrices; got {tuple(basis.shape)}."
        raise ValueError(msg)
    unit = torch.eye(basis.shape[2], dtype=basis.dtype, device=basis.device)
    worst = (basis.mT @ basis - unit).abs().max().item()
    if not worst < 1e-3:
        msg = f"A basis must be orthonormal; products of its vectors are off by {worst:.2g}. Use `orthonormal`."
        raise ValueError(msg)
