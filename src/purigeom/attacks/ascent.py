"""The parts of a walk uphill whose steps shorten where they stop paying, as in Auto-PGD (Croce and Hein 2020)."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from purigeom.defence.target import Loss, Target
from purigeom.geometry.displacement import per_image

RISING = 0.75
"""Which share of the steps since the last checkpoint has to raise the loss, or else steps are too long."""


def checkpoints(steps: int) -> tuple[int, ...]:
    """Return the steps of a walk after which the length of its steps is judged.

    Examples
    --------
    >>> checkpoints(100)
    (22, 41, 57, 70, 80, 87, 93, 99)
    """
    places = [0.0, 0.22]
    while places[-1] < 1:
        places.append(places[-1] + max(places[-1] - places[-2] - 0.03, 0.06))
    return tuple(dict.fromkeys(math.ceil(round(place * steps, 9)) for place in places[1:] if place < 1))


@dataclass(frozen=True)
class Point:
    """Where every image is, its loss and its gradient there."""

    images: Tensor
    loss: Tensor
    gradient: Tensor


@dataclass(frozen=True)
class Hill:
    """What a walk climbs, asked with queries of its own, of which `first` is the first."""

    target: Target
    loss: Loss
    first: int

    def point(self, images: Tensor, step: int) -> Point:
        return Point(images, *self.target.slope(images, self.loss, self.first + step))

    @torch.no_grad()
    def height(self, images: Tensor, step: int) -> Tensor:
        return self.target.loss(images, self.loss, self.first + step)


def hills(target: Target, loss: Loss, count: int, queries: int) -> list[Hill]:
    """Return as many hills of one loss, with so many queries each that no two share one."""
    return [Hill(target, loss, place * queries) for place in range(count)]


@dataclass(frozen=True)
class Pace:
    """How long every image's steps are, and what the next checkpoint has to know, image by image.

    Attributes
    ----------
    length
        The length of a step.
    risen
        How many steps since the last checkpoint raised the loss.
    peak
        The highest loss up to the last checkpoint.
    halved
        Whether the last checkpoint halved the steps.
    steps
        How many steps there were since the last checkpoint.
    """

    length: Tensor
    risen: Tensor
    peak: Tensor
    halved: Tensor
    steps: int = 0

    @classmethod
    def at_the_start(cls, point: Point, length: float) -> "Pace":
        risen = torch.zeros_like(point.loss, dtype=torch.int64)
        return cls(torch.full_like(point.loss, length), risen, point.loss, risen.bool())

    def judged(self, best: Point) -> "Pace":
        """Return the pace after a checkpoint: halved where too few steps rose, or where steps as long found no peak."""
        stalled = (self.risen < RISING * self.steps) | (~self.halved & (best.loss <= self.peak))
        length = torch.where(stalled, self.length / 2, self.length)
        return Pace(length, torch.zeros_like(self.risen), best.loss, stalled)


def chosen(which: Tensor, one: Point, other: Point) -> Point:
    """Return one point for the images it is chosen for, the other for the rest."""
    shaped = per_image(which, one.images)
    images, gradient = (
        torch.where(shaped, *pair) for pair in ((one.images, other.images), (one.gradient, other.gradient))
    )
    return Point(images, torch.where(which, one.loss, other.loss), gradient)
