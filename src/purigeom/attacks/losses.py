"""What attacks climb: losses of logits, one number per image, larger where an image is further from being right."""

from collections.abc import Callable
from typing import Literal, TypeAlias

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from purigeom.defence.checks import check_labels
from purigeom.defence.target import Loss

LossName: TypeAlias = Literal["ce", "cw", "dlr"]


def ce(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the cross-entropy."""
    return cross_entropy(logits, labels, reduction="none")


def cw(logits: Tensor, labels: Tensor) -> Tensor:
    """Return how far the best wrong logit is above the right one (Carlini and Wagner 2017)."""
    right = logits.gather(1, labels.unsqueeze(1)).squeeze(1)
    return _wrong(logits, labels).amax(1) - right


def dlr(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the difference of logits ratio (Croce and Hein 2020): `cw` in units that scaling logits cannot change."""
    first, _, third = logits.sort(1, descending=True).values[:, :3].unbind(1)
    return cw(logits, labels) / (first - third + 1e-12)


def targeted_dlr(logits: Tensor, labels: Tensor, towards: Tensor) -> Tensor:
    """Return how far a chosen wrong logit is above the right one, in units of the largest few (Croce and Hein 2020)."""
    first, _, third, fourth = logits.sort(1, descending=True).values[:, :4].unbind(1)
    right, chosen = (logits.gather(1, which.unsqueeze(1)).squeeze(1) for which in (labels, towards))
    return (chosen - right) / (first - (third + fourth) / 2 + 1e-12)


LOSSES: dict[LossName, Callable[[Tensor, Tensor], Tensor]] = {"ce": ce, "cw": cw, "dlr": dlr}


def climbing(name: LossName, labels: Tensor) -> Loss:
    """Return a loss of logits alone; it raises where labels or the number of classes do not suit it."""

    def loss(logits: Tensor) -> Tensor:
        if name == "dlr" and logits.shape[1] < 3:
            msg = f"The loss 'dlr' needs at least 3 classes; the classifier has {logits.shape[1]}. Climb 'cw' instead."
            raise ValueError(msg)
        return LOSSES[name](logits, check_labels(labels, logits.shape[1]))

    return loss


def _wrong(logits: Tensor, labels: Tensor) -> Tensor:
    return logits.masked_fill(one_hot(labels, logits.shape[1]).bool(), -torch.inf)
