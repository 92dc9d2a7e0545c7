"""The momentum iterative fast gradient sign method (Dong et al. 2018), in the linf and the l2 norm.

Departure from the code of torchattacks and TransferAttack: an image whose gradient is zero gets no push instead of NaN.
As there, gradients are normalised by the mean of their absolute values; the paper writes their sum, which is the same
but for one factor that the sign, and the length of an l2 step, take away.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from purigeom.attacks.ball import check_question, project, uphill
from purigeom.attacks.losses import LossName, climbing
from purigeom.attacks.titles import titled
from purigeom.defence.checks import labels_of
from purigeom.defence.target import Target
from purigeom.geometry.displacement import Norm, per_image
from purigeom.noise import Noise
from purigeom.protocols import Batch
from purigeom.settings import check_choices, check_counts, check_lengths


@dataclass(frozen=True)
class MIFGSM:
    """Climb along an average of all gradients so far, from the clean image; return the last iterate.

    Parameters
    ----------
    steps
        Number of gradients.
    norm
        The norm of the radius; linf moves along the momentum's sign, l2 along the momentum.
    decay
        Weight of the momentum so far beside a gradient of mean absolute value one; at 0 this is PGD.
    relative_step
        Length of a step over the radius; None means 1 / `steps`, as published: the walk just reaches the radius.
    loss
        What to climb.
    """

    version: ClassVar[int] = 1
    steps: int = 10
    norm: Norm = "linf"
    decay: float = 1.0
    relative_step: float | None = None
    loss: LossName = "ce"

    def __post_init__(self) -> None:
        check_counts(self, "steps")
        check_choices(self, norm=Norm, loss=LossName)
        if self.relative_step is not None:
            check_lengths(self, "relative_step")
        if not self.decay >= 0:
            msg = f"MIFGSM.decay must be at least zero; got {self.decay!r}."
            raise ValueError(msg)

    @property
    def label(self) -> str:
        return titled(self, f"MI-FGSM-{self.steps}", "steps")

    def __call__(self, target: Target, batch: Batch, noise: Noise, radius: float) -> Tensor:
        del noise
        check_question(self, batch, radius)
        loss = climbing(self.loss, labels_of(batch))
        return self.climbed(lambda images, step: target.slope(images, loss, step)[1], batch.images, radius)

    def climbed(self, gradient: Callable[[Tensor, int], Tensor], clean: Tensor, radius: float) -> Tensor:
        """Return where the walk ends that climbs a gradient of images and step, whichever it is."""
        length = radius / self.steps if self.relative_step is None else self.relative_step * radius
        images, momentum = clean, torch.zeros_like(clean)
        for step in range(self.steps):
            momentum = self.decay * momentum + _normalised(gradient(images, step))
            images = project(images + uphill(momentum, self.norm, length), clean, self.norm, radius)
        return images


def _normalised(gradient: Tensor) -> Tensor:
    """Return every image's gradient with a mean absolute value of one; a zero gradient stays zero."""
    mean = per_image(gradient.abs().flatten(1).mean(1), gradient)
    return gradient / mean.where(mean > 0, 1)
