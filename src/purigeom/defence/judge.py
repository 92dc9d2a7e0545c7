"""Whether images are classified right under declared draws: what an attack has achieved is said here, not by it."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from purigeom.defence.checks import check_labels
from purigeom.defence.defended import Defended
from purigeom.defence.gradients import Withheld
from purigeom.defence.target import Target
from purigeom.noise import Noise


def answered(defence: Defended, images: Tensor, labels: Tensor, draws: Sequence[Noise]) -> tuple[Tensor, Tensor]:
    """Return the logits of every draw, (draw, image, class), and which images some draw answers with no number.

    An image without an answer is classified wrong, and keeps no other image from its verdict.
    """
    targets = (Target(defence, noise, noise, gradient=Withheld()) for noise in draws)
    logits = torch.stack([target.logits(images)[0] for target in targets])
    check_labels(labels, logits.shape[2])
    silent = ~logits.isfinite().all(2)
    wrong = torch.zeros_like(logits).masked_fill(one_hot(labels, logits.shape[2]).bool(), -torch.inf)
    return torch.where(silent.unsqueeze(2), wrong, logits), silent.any(0)


def correct(defence: Defended, images: Tensor, labels: Tensor, noise: Noise) -> Tensor:
    """Return which images one draw classifies right; raise where it has no answer to one."""
    (right,), _, silent = verdicts(defence, images, labels, [noise])
    if silent.any():
        msg = "The classifier answers NaN or infinity for a purified image; look at its weights and its input range."
        raise ValueError(msg)
    return right


def verdicts(
    defence: Defended, images: Tensor, labels: Tensor, draws: Sequence[Noise]
) -> tuple[Tensor, Tensor, Tensor]:
    """Return which images each draw classifies right, (draw, image), which their mean does, which lack an answer."""
    logits, silent = answered(defence, images, labels, draws)
    return logits.argmax(2) == labels, logits.mean(0).argmax(1) == labels, silent
