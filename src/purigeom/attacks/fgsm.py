"""The fast gradient sign method (Goodfellow et al. 2015): one step of the whole radius, in the linf and the l2 norm."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from purigeom.attacks.ball import check_question, project, uphill
from purigeom.attacks.losses import LossName, climbing
from purigeom.attacks.titles import titled
from purigeom.defence.checks import labels_of
from purigeom.defence.target import Target
from purigeom.geometry.displacement import Norm
from purigeom.noise import Noise
from purigeom.protocols import Batch
from purigeom.settings import check_choices


@dataclass(frozen=True)
class FGSM:
    """Move every pixel by the radius along the sign of the gradient at the image.

    A pixel whose gradient is zero stays. In l2 the step goes along the gradient itself, as far as the radius.

    Parameters
    ----------
    norm
        The norm of the radius.
    loss
        What to climb.
    """

    version: ClassVar[int] = 1
    norm: Norm = "linf"
    loss: LossName = "ce"

    def __post_init__(self) -> None:
        check_choices(self, norm=Norm, loss=LossName)

    @property
    def label(self) -> str:
        return titled(self, "FGSM")

    def __call__(self, target: Target, batch: Batch, noise: Noise, radius: float) -> Tensor:
        del noise
        check_question(self, batch, radius)
        _, gradient = target.slope(batch.images, climbing(self.loss, labels_of(batch)))
        return project(batch.images + uphill(gradient, self.norm, radius), batch.images, self.norm, radius)
