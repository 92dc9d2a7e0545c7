"""Leading eigenvalues of square matrices: whether a map, iterated, draws images in or turns them about."""

from dataclasses import dataclass

import torch
from torch import Tensor

from purigeom.geometry.company import multiplied
from purigeom.geometry.matrices import Matrices, normal_vectors, orthonormal
from purigeom.noise import Noise


@dataclass(frozen=True)
class Eigenvalues:
    """Approximate eigenvalues of one matrix J per image, the largest magnitude first.

    Attributes
    ----------
    values
        Complex, of shape (image, mode). Conjugate pairs stand side by side, so the last may lack its partner.
    residuals
        The lengths |J x - value x| for the unit vectors x found, of shape (image, mode): the value is an exact
        eigenvalue of a matrix this close to J. J itself has an eigenvalue this close only if it is normal.
    products
        How many vectors were pushed per image.
    """

    values: Tensor
    residuals: Tensor
    products: int


def leading_eigenvalues(matrices: Matrices, noise: Noise, count: int, steps: int) -> Eigenvalues:
    """Return the `count` eigenvalues of largest magnitude by `steps` pushes of one vector (Arnoldi 1951).

    The basis is reorthogonalised in full. Where it spans an invariant space early it goes on from a fresh
    random vector, so that repeated eigenvalues are found as often as there are steps for them.
    """
    _check(matrices, count, steps)
    steps = min(steps, matrices.shape[2])
    hessenberg = _arnoldi(matrices, noise, steps)
    values, vectors = torch.linalg.eig(hessenberg[:, :steps])
    residuals = hessenberg[:, steps, steps - 1].abs().unsqueeze(1) * vectors[:, -1].abs()
    order = values.abs().sort(dim=1, descending=True, stable=True).indices[:, :count]
    kind = matrices.like.dtype
    return Eigenvalues(values.gather(1, order).to(kind.to_complex()), residuals.gather(1, order).to(kind), steps)


def _arnoldi(matrices: Matrices, noise: Noise, steps: int) -> Tensor:
    """Return J in an orthonormal basis of its Krylov space, in float64: (image, step + 1, step)."""
    vectors = normal_vectors(matrices, noise, 1)
    basis = vectors / vectors.norm(dim=1, keepdim=True)
    hessenberg = basis.new_zeros(len(basis), steps + 1, steps)
    scale = basis.new_zeros(len(basis), 1, 1)
    for step in range(steps):
        vectors = matrices.push(basis[..., -1:])
        scale = torch.maximum(scale, vectors.norm(dim=1, keepdim=True))
        for _ in range(2):
            overlap = multiplied(basis.mT, vectors)
            vectors = vectors - multiplied(basis, overlap)
            hessenberg[:, : step + 1, step] += overlap.squeeze(-1)
        length = vectors.norm(dim=1, keepdim=True)
        length = length.masked_fill(length <= 10 * torch.finfo(length.dtype).eps * scale, 0)
        hessenberg[:, step + 1, step] = length.flatten()
        if step < steps - 1:
            basis = torch.cat([basis, _next(matrices, noise, basis, vectors, length)], -1)
    return hessenberg.double()


def _next(matrices: Matrices, noise: Noise, basis: Tensor, vectors: Tensor, length: Tensor) -> Tensor:
    """Return the unit vectors that follow, fresh ones where nothing is left of the old."""
    exhausted = length == 0
    onward = vectors / length.masked_fill(exhausted, 1)
    if not exhausted.any():
        return onward
    fresh = normal_vectors(matrices, noise.child("restart"), 1, first=basis.shape[-1])
    return orthonormal(fresh, basis).where(exhausted, onward)


def _check(matrices: Matrices, count: int, steps: int) -> None:
    _, rows, columns = matrices.shape
    if rows != columns:
        msg = f"Only square matrices have eigenvalues; got {rows} rows and {columns} columns. Take singular values."
        raise ValueError(msg)
    if not 1 <= count <= min(steps, columns):
        msg = (
            f"leading_eigenvalues needs a count from 1 to the smaller of steps, {steps}, and columns, {columns}; "
            f"got {count}."
        )
        raise ValueError(msg)
