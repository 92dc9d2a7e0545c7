"""PGD's walk: steps of one length up whatever hill an attack makes of its target."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from purigeom.attacks.ascent import Hill
from purigeom.attacks.ball import better, project, random_start, uphill
from purigeom.geometry.displacement import Norm
from purigeom.noise import Noise

Iterate: TypeAlias = Literal["best", "last"]


@dataclass(frozen=True)
class Walk:
    """Steps up a hill, kept in the ball around the clean images.

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
    random_start
        Start at a random point of the ball instead of at the clean image.
    iterate
        Return the highest iterate, or the last one.
    """

    steps: int
    norm: Norm
    radius: float
    relative_step: float
    random_start: bool = True
    iterate: Iterate = "best"

    def highest(self, hills: Sequence[Hill], clean: Tensor, noise: Noise) -> Tensor:
        """Walk up one hill after another, each from a start of its own; return where every image got highest."""
        best, best_loss = clean, clean.new_full((len(clean),), -torch.inf)
        for place, hill in enumerate(hills):
            start = self.start(clean, noise.child("start", place)) if self.random_start else clean
            best, best_loss = better(best, best_loss, *self.climbed(hill, clean, start))
        return best

    def start(self, clean: Tensor, noise: Noise) -> Tensor:
        """Return a random point of the ball."""
        return random_start(noise, clean, self.norm, self.radius)

    def moved(self, images: Tensor, gradient: Tensor, clean: Tensor) -> Tensor:
        """Return the images one step up the gradient."""
        climbed = images + uphill(gradient, self.norm, self.relative_step * self.radius)
        return project(climbed, clean, self.norm, self.radius)

    def climbed(self, hill: Hill, clean: Tensor, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the iterate that counts and its height, image by image."""
        best, best_loss = images, images.new_full((len(images),), -torch.inf)
        for step in range(self.steps):
            point = hill.point(images, step)
            best, best_loss = better(best, best_loss, images, point.loss)
            images = self.moved(images, point.gradient, clean)
        last = hill.height(images, self.steps)
        return (images, last) if self.iterate == "last" else better(best, best_loss, images, last)
