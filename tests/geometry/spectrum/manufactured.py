"""Matrices whose singular values are known because they were made with them."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from purigeom.geometry.matrices import Dense, Matrices

LARGE = 3072
"""The numbers of a CIFAR image: matrices of this size are `Reflected`, never formed."""


def power(size: int) -> Tensor:
    """Singular values from one down, a tenth of them above a quarter, with a long tail."""
    return (1 + 72 * _place(size)) ** (-2 / 3)


def exponential(size: int) -> Tensor:
    """Singular values from one down, a tenth of them above a quarter, the last below a millionth."""
    return torch.exp(-14 * _place(size))


def flat_top(size: int) -> Tensor:
    """Singular values from one down, a tenth of them above a quarter, the first hardly apart."""
    return 1 / (1 + (25 * _place(size)) ** 1.25)


DECAYS = {"power": power, "exponential": exponential, "flat_top": flat_top}


def _place(size: int) -> Tensor:
    return torch.arange(size, dtype=torch.float64) / size


def manufactured(
    spectrum: Tensor, seed: int = 0, images: int = 1, rows: int | None = None, columns: int | None = None
) -> Dense:
    """Matrices with the spectrum, (mode) or (image, mode), between random rotations; square unless told.

    Image `i` is the same matrix however many there are.
    """
    modes = spectrum.shape[-1]
    left = _rotations(2 * seed, images, rows or modes)[..., :modes]
    right = _rotations(2 * seed + 1, images, columns or modes)[..., :modes]
    return Dense((left * spectrum.expand(images, modes).unsqueeze(1)) @ right.mT)


def _rotations(seed: int, images: int, size: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    normal = [torch.randn(size, size, generator=generator, dtype=torch.float64) for _ in range(images)]
    return torch.linalg.qr(torch.stack(normal))[0]


@dataclass(frozen=True)
class Reflected:
    """A diagonal, (image, mode), between two products of reflections, unit vectors (reflection, image, mode)."""

    spectrum: Tensor
    left: Tensor
    right: Tensor

    @property
    def shape(self) -> tuple[int, int, int]:
        images, size = self.spectrum.shape
        return images, size, size

    @property
    def like(self) -> Tensor:
        return self.spectrum

    def push(self, tangents: Tensor) -> Tensor:
        return _reflect(self.left, self.spectrum.unsqueeze(-1) * _reflect(self.right.flip(0), tangents))

    def pull(self, cotangents: Tensor) -> Tensor:
        return _reflect(self.right, self.spectrum.unsqueeze(-1) * _reflect(self.left.flip(0), cotangents))

    def singular_vectors(self, count: int) -> tuple[Tensor, Tensor]:
        """Return the first left and right singular vectors, (image, dimension, mode); the spectrum must descend."""
        unit = torch.eye(self.spectrum.shape[1], count, dtype=self.spectrum.dtype).expand(len(self.spectrum), -1, -1)
        return _reflect(self.left, unit), _reflect(self.right, unit)


def _reflect(mirrors: Tensor, vectors: Tensor) -> Tensor:
    """Apply the reflections, the first one first: reversed, they undo themselves."""
    for mirror in mirrors.unsqueeze(-1):
        vectors = vectors - 2 * mirror * (mirror * vectors).sum(1, keepdim=True)
    return vectors


def reflected(spectrum: Tensor, seed: int = 0, images: int = 1, reflections: int = 3) -> Reflected:
    """Large matrices with the spectrum, (mode) or (image, mode), that cost a few additions per product."""
    size = spectrum.shape[-1]
    generator = torch.Generator().manual_seed(seed)
    normal = [torch.randn(2, reflections, size, generator=generator, dtype=torch.float64) for _ in range(images)]
    mirrors = torch.stack(normal, 2)
    left, right = (mirrors / mirrors.norm(dim=-1, keepdim=True)).to(spectrum.dtype)
    return Reflected(spectrum.expand(images, size), left, right)


@dataclass(frozen=True)
class Counted:
    """Matrices that count the vectors they were multiplied with, per image."""

    matrices: Matrices
    pushed: list[int] = field(default_factory=list)
    pulled: list[int] = field(default_factory=list)

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.matrices.shape

    @property
    def like(self) -> Tensor:
        return self.matrices.like

    @property
    def products(self) -> int:
        return sum(self.pushed) + sum(self.pulled)

    def push(self, tangents: Tensor) -> Tensor:
        self.pushed.append(tangents.shape[-1])
        return self.matrices.push(tangents)

    def pull(self, cotangents: Tensor) -> Tensor:
        self.pulled.append(cotangents.shape[-1])
        return self.matrices.pull(cotangents)
