"""Projected gradient descent (Madry et al. 2018) in the linf and the l2 norm.

Departure from Lee and Kim's code: an l2 step goes along the gradient, not along its sign.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from purigeom.attacks.ascent import hills
from purigeom.attacks.ball import check_question
from purigeom.attacks.losses import LossName, climbing
from purigeom.attacks.titles import titled
from purigeom.attacks.walk import Iterate, Walk
from purigeom.defence.checks import labels_of
from purigeom.defence.target import Target
from purigeom.geometry.displacement import Norm
from purigeom.noise import Noise
from purigeom.protocols import Batch
from purigeom.settings import check_choices, check_counts, check_lengths


@dataclass(frozen=True)
class PGD:
    """Climb the loss along its gradient, staying within the radius and in [0, 1].

    Parameters
    ----------
    steps
        Number of gradients of every restart.
    norm
        The norm of the radius; linf moves along the gradient's sign, l2 along the gradient.
    relative_step
        Length of a step over the radius; the reach of a walk is that times `steps`.
    random_start
        Start uniformly in the linf ball, or at a random direction on the l2 sphere, instead of at the image.
    iterate
        Return the iterate of the highest loss, or the last one as in the original.
    restarts
        Walks from as many starts, of which every image keeps the one that ends best.
    loss
        What to climb.
    """

    version: ClassVar[int] = 2
    steps: int = 20
    norm: Norm = "linf"
    relative_step: float = 0.5
    random_start: bool = True
    iterate: Iterate = "best"
    restarts: int = 1
    loss: LossName = "ce"

    def __post_init__(self) -> None:
        check_counts(self, "steps", "restarts")
        check_lengths(self, "relative_step")
        check_choices(self, norm=Norm, iterate=Iterate, loss=LossName)
        if self.restarts > 1 and not self.random_start:
            msg = f"PGD.restarts needs random starts to differ; got {self}."
            raise ValueError(msg)

    @property
    def label(self) -> str:
        return titled(self, f"PGD-{self.steps}", "steps")

    def __call__(self, target: Target, batch: Batch, noise: Noise, radius: float) -> Tensor:
        check_question(self, batch, radius)
        walk = Walk(self.steps, self.norm, radius, self.relative_step, self.random_start, self.iterate)
        loss = climbing(self.loss, labels_of(batch))
        return walk.highest(hills(target, loss, self.restarts, self.steps + 1), batch.images, noise)
