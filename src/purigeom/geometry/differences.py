"""Products with the Jacobian of a black box: central differences, and how far they may be off."""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from purigeom.geometry.matrices import normal_vectors
from purigeom.noise import Noise
from purigeom.protocols import ImageMap


@dataclass(frozen=True)
class Differences:
    """The Jacobian of a map that no derivative passes, such as one that is no torch code; known by pushes alone.

    A push costs two calls, and its error estimate two more; the first question costs one. The error is that of the
    difference itself, and for a map with kinks or steps within reach it says little: there a derivative says little
    too.

    Parameters
    ----------
    image_map
        Any deterministic map of images.
    images
        Where it is differentiated.
    step
        How far images are moved, in the root mean square over pixels; balances curvature against rounding
        unless given.
    """

    image_map: ImageMap
    images: Tensor
    step: float | None = None

    def __post_init__(self) -> None:
        if self.step is not None and not 0 < self.step < math.inf:
            msg = f"Differences.step must be a length above zero, or None for a balanced one; got {self.step}."
            raise ValueError(msg)
        if not len(self.images):
            msg = f"Differences needs at least one image; got images of shape {tuple(self.images.shape)}."
            raise ValueError(msg)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return the number of images, of rows and of columns."""
        images = len(self.images)
        return images, self._answer.numel() // images, self.images.numel() // images

    @property
    def like(self) -> Tensor:
        """Return the images: products have their type and place."""
        return self.images

    def push(self, tangents: Tensor) -> Tensor:
        """Apply J, to within differences, to vectors of shape (image, column, vector)."""
        return torch.stack([self._difference(vector, 1) for vector in tangents.unbind(-1)], -1)

    def push_with_error(self, tangents: Tensor) -> tuple[Tensor, Tensor]:
        """Return the products and, (image, vector), how far each may be off in length.

        That is how much it changes when the step doubles, three times the error that curvature makes, and one
        rounding of what the map returns.
        """
        products = self.push(tangents)
        doubled = torch.stack([self._difference(vector, 2) for vector in tangents.unbind(-1)], -1)
        rounding = torch.finfo(self.images.dtype).eps * self._answer.flatten(1).norm(dim=1, keepdim=True)
        lengths = tangents.norm(dim=1) / self._reach(tangents)
        return products, (doubled - products).norm(dim=1) + rounding * lengths

    def pull(self, cotangents: Tensor) -> Tensor:  # noqa: ARG002  the protocol's
        msg = (
            "Differences cannot pull: a black box shows what a small change does, not what a change came from. Use "
            "methods that push alone, spectrum.exact and spectrum.hutchinson."
        )
        raise TypeError(msg)

    @torch.no_grad()
    def _difference(self, vector: Tensor, widening: float) -> Tensor:
        length = vector.norm(dim=1, keepdim=True)
        reach = widening * self._reach(vector)
        move = (vector * (reach / length)).where(length > 0, 0).reshape(self.images.shape)
        change = self.image_map(self.images + move) - self.image_map(self.images - move)
        return change.flatten(1) * (length / (2 * reach))

    @cached_property
    @torch.no_grad()
    def _answer(self) -> Tensor:
        """Return what the map makes of the images."""
        return self.image_map(self.images)

    def _reach(self, vectors: Tensor) -> float:
        """Return the length of a displacement in one direction."""
        step = balanced_step(torch.finfo(self.images.dtype).eps) if self.step is None else self.step
        return step * vectors.shape[1] ** 0.5


def balanced_step(rounding: float) -> float:
    """Return how far to move pixels so that neither curvature nor numbers of that precision spoil a difference."""
    return rounding ** (1 / 3) / 8


def difference_error(differences: Differences, noise: Noise, vectors: int = 8) -> Tensor:
    """Return, per image, how far singular values found by differences may be off, relative to |J|_F / sqrt(columns).

    No singular value moves further than the length of the error's matrix; that is estimated from random vectors.
    """
    products, errors = differences.push_with_error(normal_vectors(differences, noise, vectors))
    return (errors.square().mean(1) / products.square().sum(1).mean(1)).sqrt().nan_to_num(0)
