"""Auto-PGD (Croce and Hein 2020): PGD with momentum whose steps shorten, image by image, where they stop paying.

Departures from the published code: checkpoints are the paper's for any number of steps (the code's are the same at
100 steps; below 34 they come at every step towards the end); the first checkpoint compares the first step with the
start, where the code reads an entry that is not yet written, and asks for progress, where the code's does not; a walk
takes one gradient per step, where the code takes one more; linf starts are uniform in the ball, where the code
stretches every start until it touches the ball's surface; steps are halved where fewer than three in four rose, as
the paper says, and not at exactly so many, as the code does; the iterate of the highest loss is returned, never one
that a lucky draw called misclassified; every image is attacked to the end. As in the code, a walk that goes back to
its best iterate takes that iterate's known gradient along.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, TypeAlias

import torch
from torch import Tensor

from purigeom.attacks.ascent import Hill, Pace, Point, checkpoints, chosen
from purigeom.attacks.ball import better, check_question, project, random_start, uphill
from purigeom.attacks.losses import climbing, targeted_dlr
from purigeom.attacks.titles import titled
from purigeom.defence.checks import check_labels, labels_of
from purigeom.defence.target import Loss, Target
from purigeom.geometry.displacement import Norm, per_image
from purigeom.noise import Noise
from purigeom.protocols import Batch
from purigeom.settings import check_choices, check_counts

Climbed: TypeAlias = Literal["ce", "cw", "dlr", "targeted dlr"]

NEW = 0.75
"""How much of a step is new; the rest repeats the step before."""


@dataclass(frozen=True)
class APGD:
    """Climb with steps that start at twice the radius and halve when a checkpoint finds that they stopped paying.

    A walk whose steps were halved goes on from its best iterate; its best iterate is what it returns.

    Parameters
    ----------
    steps
        Number of gradients of every walk.
    norm
        The norm of the radius; linf moves along the gradient's sign, l2 along the gradient.
    loss
        What to climb; "targeted dlr" walks towards one wrong class after another, and keeps what ends furthest wrong.
    restarts
        Walks from as many random starts, towards every class if targeted.
    targets
        Wrong classes, the likeliest first, that a targeted loss walks towards; of fewer wrong classes, all.
    """

    version: ClassVar[int] = 1
    steps: int = 100
    norm: Norm = "linf"
    loss: Climbed = "ce"
    restarts: int = 1
    targets: int = 9

    def __post_init__(self) -> None:
        check_counts(self, "steps", "restarts", "targets")
        check_choices(self, norm=Norm, loss=Climbed)

    @property
    def label(self) -> str:
        loss = f"T{self.targets}-DLR" if self.loss == "targeted dlr" else self.loss.upper()
        return titled(self, f"APGD-{loss}-{self.steps}", "loss", "targets", "steps")

    def __call__(self, target: Target, batch: Batch, noise: Noise, radius: float) -> Tensor:
        check_question(self, batch, radius)
        best, best_loss = batch.images, batch.images.new_full((len(batch),), -torch.inf)
        for walk, loss in enumerate(self._losses(target, batch) * self.restarts):
            first = 1 + walk * (self.steps + 2)
            start = random_start(noise.child("start", walk), batch.images, self.norm, radius)
            found, reached = self.walked(Hill(target, loss, first), batch.images, start, radius)
            if self.loss == "targeted dlr":
                reached = Hill(target, climbing("cw", labels_of(batch)), first).height(found, self.steps + 1)
            best, best_loss = better(best, best_loss, found, reached)
        return best

    def _losses(self, target: Target, batch: Batch) -> list[Loss]:
        """Return what each walk climbs, before restarts."""
        if self.loss != "targeted dlr":
            return [climbing(self.loss, labels_of(batch))]
        logits = target.logits(batch.images).mean(0)
        if logits.shape[1] < 4:
            msg = f"The loss 'targeted dlr' needs at least 4 classes; got {logits.shape[1]}. Climb 'cw' instead."
            raise ValueError(msg)
        labels = check_labels(labels_of(batch), logits.shape[1])
        wrong = logits.scatter(1, labels.unsqueeze(1), -torch.inf).argsort(1, descending=True)[:, :-1]
        return [_towards(labels, towards) for towards in wrong[:, : self.targets].unbind(1)]

    def walked(self, hill: Hill, clean: Tensor, start: Tensor, radius: float) -> tuple[Tensor, Tensor]:
        """Return the iterate of the highest loss, and that loss."""

        def inside(images: Tensor) -> Tensor:
            return project(images, clean, self.norm, radius)

        point = best = hill.point(start, 0)
        checked = checkpoints(self.steps)
        previous, pace = None, Pace.at_the_start(best, 2 * radius)
        for step in range(1, self.steps):
            found = hill.point(self._moved(point, previous, pace.length, inside), step)
            previous, best = point.images, chosen(found.loss > best.loss, found, best)
            pace, point = replace(pace, risen=pace.risen + (found.loss > point.loss), steps=pace.steps + 1), found
            if step in checked:
                pace = pace.judged(best)
                point = chosen(pace.halved, best, point)
        last = self._moved(point, previous, pace.length, inside)
        return better(best.images, best.loss, last, hill.height(last, self.steps))

    def _moved(
        self, point: Point, previous: Tensor | None, length: Tensor, inside: Callable[[Tensor], Tensor]
    ) -> Tensor:
        """Return the images after a step: from the second on, mixed with the step before."""
        moved = inside(point.images + per_image(length, point.images) * uphill(point.gradient, self.norm, 1))
        if previous is None:
            return moved
        return inside(point.images + NEW * (moved - point.images) + (1 - NEW) * (point.images - previous))


def _towards(labels: Tensor, towards: Tensor) -> Loss:
    return lambda logits: targeted_dlr(logits, labels, towards)
