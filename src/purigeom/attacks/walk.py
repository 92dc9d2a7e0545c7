"""PGD's walk, for losses that PGD does not know."""

from dataclasses import dataclass

from torch import Tensor

from purigeom.attacks.ascent import Hill
from purigeom.attacks.ball import better, project, random_start, uphill
from purigeom.geometry.displacement import Norm
from purigeom.noise import Noise


@dataclass(frozen=True)
class Walk:
    """Steps of one length up a hill, kept in the ball around the clean images.

    Parameters
    ----------
    steps
        Number of gradients.
    norm
        The norm of the radius; linf moves along the gradient's sign, l2 along the gradient.
    radius
        How far from the clean images it may go.
    relative_step
        Length of a step over the radius.
    """

    steps: int
    norm: Norm
    radius: float
    relative_step: float

    def start(self, clean: Tensor, noise: Noise) -> Tensor:
        """Return a random point of the ball."""
        return random_start(noise, clean, self.norm, self.radius)

    def moved(self, images: Tensor, gradient: Tensor, clean: Tensor) -> Tensor:
        """Return the images one step up the gradient."""
        climbed = images + uphill(gradient, self.norm, self.relative_step * self.radius)
        return project(climbed, clean, self.norm, self.radius)

    def best(self, hill: Hill, clean: Tensor, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the highest iterate and its height, image by image."""
        best, best_loss = images, images.new_full((len(images),), -float("inf"))
        for step in range(self.steps):
            point = hill.point(images, step)
            best, best_loss = better(best, best_loss, images, point.loss)
            images = self.moved(images, point.gradient, clean)
        return better(best, best_loss, images, hill.height(images, self.steps))
