"""Products with the Jacobian of a black box: central differences, and how far they may be off."""

from dataclasses import dataclass

import torch
from torch import Tensor

from purigeom.geometry.matrices import normal_vectors
from purigeom.noise import Noise
from purigeom.protocols import ImageMap


@dataclass(frozen=True)
class Differences:
    """The Jacobian of a map that no derivative passes, such as one that is no torch code; known by pushes alone.

    A push costs two calls, and its error estimate two more. The error is that of the difference itself, and for
    a map with kinks or steps within reach it says little: there a derivative says little too.

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

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return the number of images, of rows and of columns; a purifier keeps the shape of images."""
        images = len(self.images)
        return images, self.images.numel() // images, self.images.numel() // images

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
        rounding = torch.finfo(self.images.dtype).eps * self.image_map(self.images).flatten(1).norm(dim=1, keepdim=True)
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

    def _reach(self, vectors: Tensor) -> float:
        """Return the length of a displacement in one direction."""
        step = self.step or torch.finfo(self.images.dtype).eps ** (1 / 3) / 8
        return step * vectors.shape[1] ** 0.5


def difference_error(differences: Differences, noise: Noise, vectors: int = 8) -> Tensor:
    """Return, per image, how far singular values found by differences may be off, relative to |J|_F / sqrt(columns).

    No singular value moves further than the length of the error's matrix; that is estimated from random vectors.
    """
    products, errors = differences.push_with_error(normal_vectors(differences, noise, vectors))
    return (errors.square().mean(1) / products.square().sum(1).mean(1)).sqrt().nan_to_num(0)
