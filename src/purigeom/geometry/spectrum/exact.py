"""Exact singular values and vectors, from the matrix itself: by pushing the identity in blocks."""

import torch
from torch import Tensor

from purigeom.geometry.company import multiplied
from purigeom.geometry.matrices import Dense, Matrices
from purigeom.geometry.spectrum.triplets import Triplets

VECTORS_AT_ONCE = 64
"""Unit vectors made at a time; a Jacobian splits them further where memory asks for it."""


def dense(matrices: Matrices, vectors_at_once: int = VECTORS_AT_ONCE) -> Dense:
    """Return the matrices in full, column by column: one pushed vector each, and nothing pulled."""
    if isinstance(matrices, Dense):
        return matrices
    images, rows, columns = matrices.shape
    values = matrices.like.new_empty(images, rows, columns)
    for start in range(0, columns, vectors_at_once):
        width = min(vectors_at_once, columns - start)
        unit = values.new_zeros(columns, width)
        unit[start : start + width].fill_diagonal_(1)
        values[..., start : start + width] = matrices.push(unit.expand(images, -1, -1))
    return Dense(values)


def singular_values(matrices: Matrices) -> Tensor:
    """Return all singular values, shape (image, mode), largest first; the decomposition runs in float64."""
    full = dense(matrices).values
    return torch.linalg.svdvals(full.double()).to(full.dtype)


def singular_triplets(matrices: Matrices) -> Triplets:
    """Return all singular values with their vectors on both sides; no residual but that of rounding."""
    full = dense(matrices).values
    left, values, right = torch.linalg.svd(full.double(), full_matrices=False)
    residuals = (multiplied(full.double().mT, left) - right.mT * values.unsqueeze(-2)).norm(dim=-2)
    left, values, right, residuals = (part.to(full.dtype) for part in (left, values, right.mT, residuals))
    return Triplets(left, values, right, residuals, full.shape[-1])
