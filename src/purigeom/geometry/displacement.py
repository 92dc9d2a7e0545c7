"""Ways to move images a given distance: at random in a ball, to its corners, on a sphere, or somewhere given."""

import hashlib
from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeAlias

import torch
from torch import Tensor

from purigeom.noise import Noise

Norm: TypeAlias = Literal["linf", "l2"]


@dataclass(frozen=True)
class UniformBall:
    """Move every pixel independently and uniformly within the linf ball of the radius."""

    version: ClassVar[int] = 1
    label: ClassVar[str] = "uniform linf ball"

    def __call__(self, noise: Noise, images: Tensor, radius: float) -> Tensor:
        return radius * noise.uniform_like(images)


@dataclass(frozen=True)
class Corners:
    """Move every pixel by plus or minus the radius: to a random corner of the linf ball."""

    version: ClassVar[int] = 1
    label: ClassVar[str] = "linf corners"

    def __call__(self, noise: Noise, images: Tensor, radius: float) -> Tensor:
        return radius * noise.sign_like(images)


@dataclass(frozen=True)
class Sphere:
    """Move in a uniformly random direction to the l2 sphere of the radius."""

    version: ClassVar[int] = 1
    label: ClassVar[str] = "l2 sphere"

    def __call__(self, noise: Noise, images: Tensor, radius: float) -> Tensor:
        return rescale(noise.normal_like(images), "l2", radius)


@dataclass(frozen=True)
class Towards:
    """Move along given directions, such as an attack's, one per image id, to the radius in a norm.

    Parameters
    ----------
    name
        What the directions are, for labels.
    directions
        One direction per image, of any length.
    image_ids
        The clean image each direction belongs to.
    norm
        The norm in which the radius is measured.
    """

    version: ClassVar[int] = 1
    name: str
    directions: Tensor = field(repr=False, compare=False)
    image_ids: tuple[int, ...]
    norm: Norm = "linf"

    @property
    def label(self) -> str:
        return f"towards {self.name}"

    def content(self) -> str:
        """Return the digest of the directions: part of the key of whatever is measured along them."""
        numbers = self.directions.detach().cpu().double().contiguous().numpy()
        return hashlib.sha256(numbers.tobytes()).hexdigest()

    def __call__(self, noise: Noise, images: Tensor, radius: float) -> Tensor:
        missing = set(noise.image_ids) - set(self.image_ids)
        if missing:
            msg = f"Towards({self.name!r}) needs a direction for every image; got none for {sorted(missing)[:5]}."
            raise ValueError(msg)
        rows = [self.image_ids.index(image_id) for image_id in noise.image_ids]
        return rescale(self.directions[rows].to(images), self.norm, radius)


def rescale(directions: Tensor, norm: Norm, radius: float) -> Tensor:
    """Return each image's direction at length `radius`; a zero direction stays zero."""
    largest = directions.flatten(1).abs().amax(1)
    shaped = directions / per_image(largest.where(largest > 0, 1), directions)  # whose squares do not underflow
    length = shaped.flatten(1).norm(dim=1) if norm == "l2" else torch.ones_like(largest)
    return shaped * per_image((radius / length).where(largest > 0, 0), directions)


def per_image(values: Tensor, images: Tensor) -> Tensor:
    """Return one number per image in the shape in which it meets all numbers of its image."""
    return values.reshape(-1, *[1] * (images.dim() - 1))
