"""Block Golub-Kahan-Lanczos bidiagonalisation: the leading triplets and the density of a spectrum from one run."""

from dataclasses import dataclass

import torch
from torch import Tensor

from purigeom.geometry.company import multiplied
from purigeom.geometry.matrices import Matrices, normal_vectors, orthonormal
from purigeom.geometry.spectrum.triplets import Triplets
from purigeom.noise import Noise

BLOCK = 4
"""Vectors per product: 2 to 8 are equally accurate at equal cost, 4 keep a device busier than 1 or 2."""
NOTHING_LEFT = 30
"""Roundings of a block within which a vector counts as spanned by the basis."""


@dataclass(frozen=True)
class Bidiagonal:
    """Matrices J seen from two growing bases: J V = U B exactly, and J'U = V B' but for the last block.

    Attributes
    ----------
    right
        The orthonormal basis V, of shape (image, column, vector).
    left
        The orthonormal basis U, of shape (image, row, vector).
    middle
        The upper block-bidiagonal B, of shape (image, vector, vector).
    following
        The block that V grows by next, of shape (image, column, vector).
    residual
        How J'U leaves V at its last block U_m: J'U_m = V (B'U_m) + following @ residual.
    """

    right: Tensor
    left: Tensor
    middle: Tensor
    following: Tensor
    residual: Tensor

    @property
    def block(self) -> int:
        """Return how many vectors the bases grow by in a step."""
        return self.following.shape[-1]

    @property
    def products(self) -> int:
        """Return how many vectors of every image were pushed or pulled so far."""
        return self.left.shape[-1] + self.right.shape[-1]

    def after(self, steps: int) -> "Bidiagonal":
        """Return what the run had found after fewer steps."""
        width, block = steps * self.block, self.block
        if width == self.right.shape[-1]:
            return self
        following = self.right[..., width : width + block]
        residual = self.middle[:, width - block : width, width : width + block].mT
        middle = self.middle[:, :width, :width]
        return Bidiagonal(self.right[..., :width], self.left[..., :width], middle, following, residual)

    def of_image(self, place: int) -> "Bidiagonal":
        """Return the run of one image."""
        one = slice(place, place + 1)
        return Bidiagonal(self.right[one], self.left[one], self.middle[one], self.following[one], self.residual[one])

    @property
    def steps(self) -> int:
        """Return how many blocks the bases hold."""
        return self.right.shape[-1] // self.block


def most_steps(matrices: Matrices, block: int) -> int:
    """Return after how many steps the bases leave no room for another block."""
    return min(matrices.shape[1:]) // block


def begun(matrices: Matrices, noise: Noise, block: int = BLOCK) -> Bidiagonal:
    """Return empty bases and a random block to start from."""
    images, rows, columns = matrices.shape
    if not 1 <= block <= min(rows, columns):
        msg = f"Lanczos blocks must hold 1 to {min(rows, columns)} vectors, the smaller dimension; got {block}."
        raise ValueError(msg)
    following = orthonormal(normal_vectors(matrices, noise, block))
    empty = following[..., :0]
    left = matrices.like.new_empty(images, rows, 0)
    return Bidiagonal(empty, left, empty[:, :0], following, following.new_zeros(images, block, block))


def advanced(matrices: Matrices, state: Bidiagonal) -> Bidiagonal:
    """Push and pull one block more, orthogonalising it twice against all before it (Golub, Luk and Overton 1981)."""
    block, width = state.block, state.right.shape[-1]
    pushed = matrices.push(state.following)
    if width:
        pushed = pushed - multiplied(state.left[..., -block:], state.residual.mT)
    fresh, upper = _appended(pushed, state.left)
    pulled = matrices.pull(fresh) - multiplied(state.following, upper.mT)
    right = torch.cat([state.right, state.following], -1)
    following, residual = _appended(pulled, right)
    middle = torch.nn.functional.pad(state.middle, (0, block, 0, block))
    middle[:, width:, width:] = upper
    if width:
        middle[:, width - block : width, width:] = state.residual.mT
    return Bidiagonal(right, torch.cat([state.left, fresh], -1), middle, following, residual)


def bidiagonalised(matrices: Matrices, noise: Noise, steps: int, block: int = BLOCK) -> Bidiagonal:
    """Return the bases after a number of steps, each of which costs `block` pushes and pulls; fewer fill the space."""
    state = begun(matrices, noise, block)
    for _ in range(min(steps, most_steps(matrices, block))):
        state = advanced(matrices, state)
    return state


def leading_triplets(state: Bidiagonal, count: int) -> Triplets:
    """Return the largest singular values the bases know, with vectors and residuals |J'u - s v|."""
    left, values, right = torch.linalg.svd(state.middle.double(), full_matrices=False)
    left, values, right = left[..., :count], values[:, :count], right.mT[..., :count]
    residuals = multiplied(state.residual.double(), left[:, -state.block :]).norm(dim=-2)
    like = state.right.dtype
    return Triplets(
        multiplied(state.left, left.to(like)),
        values.to(like),
        multiplied(state.right, right.to(like)),
        residuals.to(like),
        state.products,
    )


def _appended(vectors: Tensor, basis: Tensor) -> tuple[Tensor, Tensor]:
    """Return an orthonormal block orthogonal to a basis, and the vectors' coefficients in it.

    What is left of the vectors outside the basis is split into singular directions. One in which nothing is left is
    replaced by another, with coefficient zero: so a block loses nothing where its vectors are dependent.
    """
    scale = vectors.double().norm(dim=1).amax(-1, keepdim=True)
    found, coefficients = torch.linalg.qr(_outside(vectors, basis))
    directions, sizes, turn = torch.linalg.svd(coefficients)
    spent = sizes <= NOTHING_LEFT * _rounding(vectors) * scale
    found = multiplied(found, directions).where(~spent.unsqueeze(1), _anything(found, basis.shape[-1]))
    kept = (sizes.unsqueeze(-1) * turn).where(~spent.unsqueeze(-1), 0)
    for _ in range(2):  # a replacement may have little left outside the basis: once more makes it orthogonal
        found, change = torch.linalg.qr(_outside(found, basis))
        kept = multiplied(change, kept)
    return found, kept


def _outside(vectors: Tensor, basis: Tensor) -> Tensor:
    return vectors - multiplied(basis, multiplied(basis.mT, vectors))


def _rounding(vectors: Tensor) -> float:
    return torch.finfo(vectors.dtype).eps


def _anything(like: Tensor, width: int) -> Tensor:
    """Return vectors in general position: with no randomness, and others for every width of the basis."""
    places = torch.arange(1, 1 + like.shape[1], dtype=torch.float64, device=like.device)
    turns = torch.arange(1, 1 + like.shape[2], dtype=torch.float64, device=like.device) + width
    return torch.cos(places.sqrt().unsqueeze(1) * (1 + turns)).to(like.dtype).expand_as(like)
