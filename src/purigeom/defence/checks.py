"""What can be wrong with a defence's answers and with what it is asked, said where it is first seen."""

import torch
from torch import Tensor

from purigeom.defence.defended import Defended
from purigeom.geometry.chain import Chain, as_chain
from purigeom.protocols import Batch, ImageMap

CERTAIN = 1e-3
"""How far rows of probabilities may sum from one."""
INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
BEHIND = "in the classifier or the loss"
"""Where a gradient breaks that no purifier broke."""


def check_logits(logits: Tensor, defence: Defended) -> None:
    """Raise unless a classifier answered with one row of logits per image; probabilities are none."""
    if logits.dim() != 2:
        msg = f"{defence.classifier!r} must return one row of logits per image; got shape {tuple(logits.shape)}."
        raise ValueError(msg)
    known = logits.detach()
    known = known[known.isfinite().all(1)]
    sums_to_one = ((known.sum(1) - 1).abs() < CERTAIN).all()
    if logits.shape[1] > 1 and len(known) and (known >= 0).all() and sums_to_one:
        msg = (
            f"{defence.classifier!r} returns probabilities: its rows are positive and sum to one. Attacks and votes "
            "need logits; leave out its softmax."
        )
        raise ValueError(msg)


def labels_of(batch: Batch) -> Tensor:
    """Return a batch's labels; raise where it has none, or none that number classes."""
    labels = batch.labels
    if labels is None:
        msg = "An attack needs labels, and so does its judge; the batch has none. Give labels beside the images."
        raise ValueError(msg)
    if labels.shape != (len(batch),) or labels.dtype not in INTEGERS:
        msg = (
            f"Labels must be one whole number per image, of {len(batch)} images; got {tuple(labels.shape)} numbers of "
            f"{labels.dtype}. For soft or one-hot labels give labels.argmax(1)."
        )
        raise ValueError(msg)
    return labels.long()


def check_labels(labels: Tensor, classes: int) -> Tensor:
    """Return the labels; raise unless all name a class."""
    outside = labels[(labels < 0) | (labels >= classes)]
    if outside.numel():
        msg = f"Labels must lie between 0 and {classes - 1}, the classifier's last class; got {outside[:5].tolist()}."
        raise ValueError(msg)
    return labels


def where_broken(image_map: ImageMap, cotangent: Tensor, image: Tensor) -> str:
    """Return in which step a value or, given that of the last, a gradient first is no number; empty where none is."""
    chain = as_chain(image_map)
    with torch.no_grad():
        states = chain.states(image)
    count = len(chain.steps)
    for index, state in enumerate(states):
        if not state.isfinite().all():
            return f"as the value of step {index} of {count}{_level(chain, index)}" if index else "in the image itself"
    if not cotangent.isfinite().all():
        return BEHIND
    for index in reversed(range(count)):
        before = states[index].detach().requires_grad_()
        with torch.enable_grad():
            after = chain.steps[index](before)
        if not after.requires_grad:  # nothing of the state is left in it
            return ""
        (cotangent,) = torch.autograd.grad(after, before, cotangent, materialize_grads=True)
        if not cotangent.isfinite().all():
            return f"in the gradient of step {index + 1} of {count}{_level(chain, index + 1)}"
    return ""


def _level(chain: Chain, index: int) -> str:
    """Return how deep in noise the state after a step is, where the step says so."""
    signal = getattr(chain.steps[index - 1], "signal", None)
    return "" if signal is None else f", at signal level {signal:.3g}"
