"""Linear maps known by their products: one matrix per image, many vectors at once."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from purigeom.geometry.company import multiplied
from purigeom.noise import Noise


class Matrices(Protocol):
    """One matrix per image.

    Laws: products are linear; `pull` applies the transposes of what `push` applies; an image's products do not
    depend on the other images or vectors.
    """

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return the number of images, rows and columns."""
        ...

    @property
    def like(self) -> Tensor:
        """Return a tensor of the type, and on the device, of all products."""
        ...

    def push(self, tangents: Tensor) -> Tensor:
        """Multiply vectors of shape (image, column, vector): (image, row, vector)."""
        ...

    def pull(self, cotangents: Tensor) -> Tensor:
        """Multiply vectors of shape (image, row, vector) with the transposes: (image, column, vector)."""
        ...


@dataclass(frozen=True)
class Dense:
    """Matrices that are known in full, of shape (image, row, column)."""

    values: Tensor

    @property
    def shape(self) -> tuple[int, int, int]:
        images, rows, columns = self.values.shape
        return images, rows, columns

    @property
    def like(self) -> Tensor:
        return self.values

    def push(self, tangents: Tensor) -> Tensor:
        return multiplied(self.values, tangents)

    def pull(self, cotangents: Tensor) -> Tensor:
        return multiplied(self.values.mT, cotangents)


def normal_vectors(matrices: Matrices, noise: Noise, count: int, first: int = 0) -> Tensor:
    """Draw standard normal vectors, (image, column, vector): the same ones however many are drawn at a time."""
    images, _, columns = matrices.shape
    like = torch.empty(images, columns, dtype=matrices.like.dtype, device=matrices.like.device)
    return torch.stack([noise.child("vector", first + place).normal_like(like) for place in range(count)], -1)


def orthonormal(vectors: Tensor, *bases: Tensor) -> Tensor:
    """Return an orthonormal basis of the vectors' span, orthogonal to the bases given; two passes suffice."""
    for _ in range(2):
        for basis in bases:
            vectors = vectors - multiplied(basis, multiplied(basis.mT, vectors))
    return torch.linalg.qr(vectors)[0]
