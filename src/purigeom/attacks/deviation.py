"""DiffAttack (Kang, Song and Li, NeurIPS 2023): climb the classification loss and the deviated reconstruction together.

L = L_cls + weight * L_dev. L_dev is the mean, over a third of the reverse steps, of the distance between the state
after the step and the state of the forward process at the same level, made of the same attacked image by the same
noise. The paper's segment-wise gradient is the one that every chain has here: exact, at the memory of one step.

The published repository holds no code. What the paper leaves open is fixed as follows. The distance is the mean squared
difference. "alpha(t), the reciprocal of the number of sampled steps" is read as the mean itself; dividing by the number
twice would make L_dev fade with depth. `weighting="signal"` is the reading of DiffHammer's code, alpha(t) = the signal
level (that code also halves the square, and takes its gradient with the forward state's dependence on the network
left out). Steps are sampled once per restart, image by image, so that the heights of a walk compare.

Departures from the paper: the walk is PGD's with its best iterate, not APGD's; the knowledge of the adversary says how
many draws a gradient averages (20 there); a second round that climbs DLR is another adversary, `loss="dlr"`. Unlike
DiffBreak's code, L_dev is differentiated through the forward state too.

A caution: where the classifier is sure, the gradient of its cross-entropy is near zero and the deviation alone leads
the walk. "cw" and "dlr" do not fade.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from torch import Tensor

from purigeom.attacks.ascent import hills
from purigeom.attacks.ball import check_question
from purigeom.attacks.deviating import Deviated, Deviating, Weighting
from purigeom.attacks.losses import LossName, climbing
from purigeom.attacks.titles import titled
from purigeom.attacks.walk import Walk
from purigeom.defence.checks import labels_of
from purigeom.defence.defended import Defended
from purigeom.defence.gradients import Exact, FullGraph, Gradient, Surrogate
from purigeom.defence.target import Target
from purigeom.geometry.displacement import Norm
from purigeom.noise import Noise
from purigeom.protocols import Batch, RandomMap
from purigeom.settings import check_choices, check_counts, check_lengths


@dataclass(frozen=True)
class DiffAttack:
    """Climb the classification loss plus the deviation of the reverse process from the forward one.

    Parameters
    ----------
    steps
        Number of gradients of every restart.
    norm
        The norm of the radius; linf moves along the gradient's sign, l2 along the gradient.
    relative_step
        Length of a step over the radius.
    restarts
        Walks from as many random starts, of which every image keeps the one that ends best.
    loss
        The classification loss.
    weight
        How much the deviation counts beside it; at 0 this is PGD.
    share
        How many of the reverse steps are compared.
    weighting
        Weigh the compared steps equally, or by their signal level.
    """

    version: ClassVar[int] = 1
    steps: int = 100
    norm: Norm = "linf"
    relative_step: float = 0.1
    restarts: int = 1
    loss: LossName = "ce"
    weight: float = 1.0
    share: float = 1 / 3
    weighting: Weighting = "equal"

    def __post_init__(self) -> None:
        check_counts(self, "steps", "restarts")
        check_lengths(self, "relative_step", "share")
        check_choices(self, norm=Norm, loss=LossName, weighting=Weighting)
        if self.share > 1:
            msg = f"DiffAttack.share must be at most 1, all steps; got {self.share!r}."
            raise ValueError(msg)
        if not self.weight >= 0:
            msg = f"DiffAttack.weight must be at least zero; got {self.weight!r}."
            raise ValueError(msg)

    @property
    def label(self) -> str:
        return titled(self, f"DiffAttack-{self.steps}", "steps")

    def __call__(self, target: Target, batch: Batch, noise: Noise, radius: float) -> Tensor:
        check_question(self, batch, radius)
        shape, loss = tuple(batch.images.shape[1:]), self._loss(batch)
        climbs = [
            replace(hill, target=self._seen(target, shape, noise.child("steps", restart)))
            for restart, hill in enumerate(hills(target, loss, self.restarts, self.steps + 1))
        ]
        return Walk(self.steps, self.norm, radius, self.relative_step).highest(climbs, batch.images, noise)

    def _loss(self, batch: Batch) -> Callable[[Tensor], Tensor]:
        classification = climbing(self.loss, labels_of(batch))
        return lambda answers: classification(answers[:, :-1]) + self.weight * answers[:, -1]

    def _seen(self, target: Target, image_shape: tuple[int, ...], sampled: Noise) -> Target:
        """Return the target that answers logits and, in the last column, deviations."""
        gradient, purifier = _inside(target)
        if not target.knowledge.draws(target.configuration, target.attacker, 0):
            msg = f"DiffAttack looks into the purifier, which an attacker with {target.knowledge} does not see."
            raise ValueError(msg)
        deviating = Deviating(purifier, sampled, self.share, self.weighting)
        return replace(target, defence=Defended(deviating, Deviated(target.defence, image_shape)), gradient=gradient)


def _inside(target: Target) -> tuple[Gradient, RandomMap]:
    """Return a gradient that sees a purifier's steps, and the purifier that it sees."""
    match target.gradient:
        case Surrogate() as surrogate:
            return Exact(), surrogate.coarser(target.defence.purifier)
        case Exact() | FullGraph() as gradient:
            return gradient, target.defence.purifier
    msg = f"DiffAttack looks into the purifier: it needs Exact(), FullGraph() or Surrogate(); got {target.gradient!r}."
    raise ValueError(msg)
