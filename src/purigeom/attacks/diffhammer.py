"""DiffHammer (Wang, Fu, Han and Xiang, NeurIPS 2024): attack the purifications that share a weakness, count failures.

Every query purifies the image N times anew, N being the draws that the adversary knows of: `EOT(10)` is the paper's.
Selective attack: expectation maximisation weighs the N draws by how likely a common step breaks them. Gradient
grafting: the weighted mean of the gradients at the N purified images (BPDA's) is pulled back through the chain of one
representative draw. N-evaluation: the same N draws say how often the image fails, and every image keeps the iterate
that fails most often; equal ones by the mean of the best wrong logit minus the right one. These draws are the
attacker's own and judge nothing.

Departures from the published code: its expectation maximisation never replaces the common direction that it weighs
draws by, ours does; its imagined step is as long as the radius when it looks for the representative and of length one
when it weighs draws, ours is the radius, or `relative_reach` times that, in both, and both use the logistic function
as the paper does; weights are computed from logarithms, where the code's may sum to zero; it stops when a whole batch
has failed and pads batches at a restart, so that images depend on their company, ours do not; its restart crashes
(TensorDataset is not imported). The walk is PGD's, of steps of one length, not APGD's. Only one draw is representative
(the code's default). The code pulls back through a coarser chain than it evaluates: give the adversary
`Surrogate(steps)` for that; N-evaluation always asks the purifier itself.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from purigeom.attacks.ball import check_question
from purigeom.attacks.losses import LOSSES, LossName
from purigeom.attacks.resubmission import Kept, evaluated
from purigeom.attacks.selection import Draws, Selection, mean
from purigeom.attacks.titles import titled
from purigeom.attacks.walk import Walk
from purigeom.defence.checks import labels_of
from purigeom.defence.defended import Defended
from purigeom.defence.knowledge import Average
from purigeom.defence.target import Target
from purigeom.geometry.displacement import Norm
from purigeom.noise import Noise, joined
from purigeom.protocols import Batch, ImageMap
from purigeom.settings import check_choices, check_counts, check_lengths


@dataclass(frozen=True)
class Representative:
    """Knowledge of one draw of every image, chosen for it."""

    stream: Noise
    label: ClassVar[str] = "representative"
    average: ClassVar[Average] = "losses"

    def draws(self, configuration: Noise, attacker: Noise, query: int) -> tuple[Noise, ...]:
        del configuration, attacker, query
        return (self.stream,)


@dataclass(frozen=True)
class Pixels:
    """No classifier: pixels as rows, negated so that nobody takes them for probabilities."""

    def load(self) -> ImageMap:
        return lambda images: -images.flatten(1)


@dataclass(frozen=True)
class DiffHammer:
    """Climb what the purifications with a shared weakness have in common; keep what fails most of them.

    Parameters
    ----------
    steps
        Number of steps of every walk.
    norm
        The norm of the radius; linf moves along the gradient's sign, l2 along the gradient.
    relative_step
        Length of a step over the radius.
    losses
        What the walks climb, one after another; every walk has a random start.
    restart_up_to
        Of all draws, the share of failures up to which an image walks once more.
    iterations
        How often expectation maximisation finds weights and the common step from each other.
    steepness
        How fast the likelihood that a draw breaks grows with its loss: the paper's lambda.
    decay
        The gradient of step t counts t ** -decay, the gradients before it the rest: the paper's alpha. At 0 there is
        no memory.
    relative_reach
        Length of the common step that draws are weighed by, over the radius.
    """

    version: ClassVar[int] = 1
    steps: int = 50
    norm: Norm = "linf"
    relative_step: float = 0.2
    losses: tuple[LossName, ...] = ("cw", "ce", "dlr")
    restart_up_to: float = 0.5
    iterations: int = 5
    steepness: float = 5.0
    decay: float = 0.5
    relative_reach: float = 1.0

    def __post_init__(self) -> None:
        check_counts(self, "steps", "iterations")
        check_lengths(self, "relative_step", "steepness")
        check_choices(self, norm=Norm)
        if not self.losses or not set(self.losses) <= set(LOSSES):
            msg = f"DiffHammer.losses must be at least one of {tuple(LOSSES)}; got {self.losses!r}."
            raise ValueError(msg)
        for field in ("restart_up_to", "decay", "relative_reach"):
            if not getattr(self, field) >= 0:
                msg = f"DiffHammer.{field} must be at least zero; got {getattr(self, field)!r}."
                raise ValueError(msg)

    @property
    def label(self) -> str:
        return titled(self, f"DiffHammer-{self.steps} {'+'.join(self.losses)}", "steps", "losses")

    def __call__(self, target: Target, batch: Batch, noise: Noise, radius: float) -> Tensor:
        check_question(self, batch, radius)
        count = _draws(target)
        walk = Walk(self.steps, self.norm, radius, self.relative_step)
        kept = Kept.nothing(batch.images)
        for restart in range(len(self.losses)):
            places = (kept.failures <= self.restart_up_to * count).nonzero().flatten().tolist()
            if not places:
                break
            part = Batch(
                batch.images[places], labels_of(batch)[places], tuple(batch.image_ids[place] for place in places)
            )
            start = walk.start(part.images, noise[places].child("start", restart))
            found = self._walked(target[places], part, start, walk, restart)
            kept = kept.replaced(places, kept.at(places).better(found))
        return kept.images

    def _walked(self, target: Target, batch: Batch, images: Tensor, walk: Walk, restart: int) -> Kept:
        """Return the iterates of a walk that failed most often."""
        labels, loss, first = labels_of(batch), self.losses[restart], restart * (self.steps + 1)
        kept, push = Kept.nothing(images), torch.zeros_like(images)
        for step in range(self.steps):
            draws, found = evaluated(target, images, labels, loss, first + step)
            kept, share = kept.better(found), (step + 1) ** -self.decay
            push = share * self._grafted(target, images, draws, walk, first + step) + (1 - share) * push
            images = walk.moved(images, push, batch.images)
        return kept.better(evaluated(target, images, labels, loss, first + self.steps)[1])

    def _grafted(self, target: Target, images: Tensor, draws: Draws, walk: Walk, query: int) -> Tensor:
        """Return the common gradient of the draws, pulled back through the representative one."""
        selection = Selection(self.norm, self.relative_reach * walk.radius, self.steepness, self.iterations)
        common = mean(draws, selection.responsibilities(draws))
        streams = joined(target.knowledge.draws(target.configuration, target.attacker, query))
        rows = selection.representative(draws) * len(images) + torch.arange(len(images), device=images.device)
        knowledge = Representative(streams[rows.tolist()])
        one = replace(target, defence=Defended(target.defence.purifier, Pixels()), knowledge=knowledge)
        return one.slope(images, lambda pixels: -(pixels * common).sum(1), query)[1]


def _draws(target: Target) -> int:
    """Return how many draws a query has; raise where they cannot be told apart."""
    count = len(target.knowledge.draws(target.configuration, target.attacker, 0))
    if not count or target.knowledge.average == "logits":
        msg = (
            "DiffHammer weighs the loss of every purification: it needs Fixed(), Fresh() or EOT(count) with "
            f"average='losses'; got {target.knowledge!r}."
        )
        raise ValueError(msg)
    return count
