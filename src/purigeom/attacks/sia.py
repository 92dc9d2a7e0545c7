"""The structure invariant attack (Wang et al. 2023): MI-FGSM along the mean gradient of differently transformed copies.

Its paper and its codes differ in the operators (ten, or the seven here by default), the copies (10 or 20) and the decay
(1, or 0 on the command line); what arXiv 2505.15594 took is not published. All are fields.
"""

from dataclasses import dataclass
from typing import ClassVar, get_args

import torch
from torch import Tensor

from purigeom.attacks.ball import check_question
from purigeom.attacks.losses import climbing
from purigeom.attacks.mi_fgsm import MIFGSM
from purigeom.attacks.titles import titled
from purigeom.attacks.transformations import SEVEN, TEN, OperatorName, transformed
from purigeom.defence.checks import labels_of
from purigeom.defence.target import Target
from purigeom.geometry.displacement import Norm
from purigeom.noise import Noise, joined
from purigeom.protocols import Batch
from purigeom.settings import check_counts


@dataclass(frozen=True)
class SIA:
    """Cut every copy into blocks, transform each block by an operator drawn for it, and climb their mean gradient.

    Cuts and operators are new in every step. Its copies are one query: they meet the same draws of the defence.

    Parameters
    ----------
    walk
        The walk that follows the gradient: its steps, norm, decay and loss.
    copies
        Transformed copies per step.
    blocks
        Blocks along each side of an image.
    operators
        What may happen to a block: `SEVEN` as in TransferAttack, `TEN` as in the authors' code, or some of them.
    """

    version: ClassVar[int] = 1
    walk: MIFGSM = MIFGSM()
    copies: int = 20
    blocks: int = 3
    operators: tuple[OperatorName, ...] = SEVEN

    def __post_init__(self) -> None:
        check_counts(self, "copies", "blocks")
        if not self.operators or not set(self.operators) <= set(get_args(OperatorName)):
            msg = f"SIA.operators must be some of {get_args(OperatorName)}; got {self.operators}."
            raise ValueError(msg)

    @property
    def label(self) -> str:
        known = ("operators",) if self.operators in (SEVEN, TEN) else ()
        return titled(self, f"SIA-{self.walk.steps} {len(self.operators)} operators x{self.copies}", "copies", *known)

    @property
    def norm(self) -> Norm:
        """Return the norm of the walk."""
        return self.walk.norm

    def __call__(self, target: Target, batch: Batch, noise: Noise, radius: float) -> Tensor:
        check_question(self, batch, radius)
        labels = labels_of(batch).repeat(self.copies)
        loss, repeated = climbing(self.walk.loss, labels), target.repeat(self.copies)

        def gradient(images: Tensor, step: int) -> Tensor:
            point = images.detach().requires_grad_()
            with torch.enable_grad():
                copies = self.copied(point, noise.child("step", step))
            _, slope = repeated.slope(copies.detach(), loss, step)
            (pulled,) = torch.autograd.grad(copies, point, slope / self.copies)
            return pulled

        return self.walk.climbed(gradient, batch.images, radius)

    def copied(self, images: Tensor, noise: Noise) -> Tensor:
        """Return the transformed copies of all images, block after block; differentiable."""
        streams = joined([noise.child("copy", copy) for copy in range(self.copies)])
        return transformed(images.repeat(self.copies, 1, 1, 1), self.operators, self.blocks, streams)
