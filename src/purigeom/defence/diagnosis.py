"""Why an attack by gradients may say nothing of a defence: hidden randomness, test-time optimisation, bad gradients."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from purigeom.defence.checks import labels_of
from purigeom.defence.defended import Defended
from purigeom.defence.faults import hidden_told, masked_told, missed_told, optimised_told, shattered_told
from purigeom.defence.watch import generators_moved, gradients_turned_on
from purigeom.geometry.company import image_by_image
from purigeom.geometry.displacement import rescale
from purigeom.geometry.distances import lengths as length_of
from purigeom.noise import Noise
from purigeom.protocols import Batch, ImageMap

SAME = 1e-4
"""Largest gap between two answers to one question, relative to the largest logit: kernels that sum in varying order."""
DIRECTIONS = 8
"""Random displacements that are compared with what the gradient says of them."""
LENGTHS = (1e-3, 1e-4, 1e-5)
"""Of small differences, in double precision; a hundred times that in single. The middle answer of the three counts."""


@dataclass(frozen=True)
class Diagnosis:
    """What is suspicious of a pinned defence, one fact per image, and what it is called.

    Attributes
    ----------
    hidden
        Whether it answered the same question in two ways, or drew from a global generator.
    optimised
        Whether it turned gradients on while they were off.
    followed
        Slope of the margin along its gradient over the gradient's length; NaN without a gradient.
    reached
        How far the margin changes over the radius along the gradient's signs, over what the gradient says of it; near
        zero where the gradient is right at the image, and useless a step away.
    missed
        How far random displacements change the margin other than its gradient says, relative to how far they do: near
        one where most of the gradient is cut off, though what is left be true.
    masked
        Whether the margin changes though it has no gradient.
    faults
        The same in words, one sentence each; none where nothing is suspicious.
    """

    hidden: Tensor
    optimised: Tensor
    followed: Tensor
    reached: Tensor
    missed: Tensor
    masked: Tensor
    faults: tuple[str, ...]


def diagnosed(defence: Defended, batch: Batch, noise: Noise, radius: float) -> Diagnosis:
    """Ask a pinned defence about some images twice, watch what it does, and compare its gradient with differences.

    Parameters
    ----------
    noise
        That of the configuration which is diagnosed.
    radius
        In the linf norm: how far from the clean images gradients are taken, off kinks that these lie on, and how far
        displacements go by which a missing gradient is told from a flat margin.
    """
    if not 0 < radius < math.inf:
        msg = f"A diagnosis needs a finite radius above zero; got {radius}."
        raise ValueError(msg)
    logits = defence.pin(noise, tuple(batch.images.shape[1:]))
    hidden, drawn = _hidden(defence, batch.images, noise)
    turned_on = gradients_turned_on(lambda: logits(batch.images))
    followed = reached = missed = masked = torch.full((len(batch),), torch.nan, dtype=torch.float64)
    if not hidden.any():
        followed, reached, missed, masked = _slopes(logits, batch, noise.child("differences"), radius)
    faults = (
        hidden_told(hidden, drawn, defence),
        optimised_told(turned_on, defence),
        shattered_told(followed, reached, batch),
        missed_told(missed.where(masked != 1, 0), followed, batch),
        masked_told(masked == 1, batch),
    )
    optimised = torch.full((len(batch),), bool(turned_on))
    return Diagnosis(hidden, optimised, followed, reached, missed, masked == 1, tuple(filter(None, faults)))


@torch.no_grad()
def _hidden(defence: Defended, images: Tensor, noise: Noise) -> tuple[Tensor, tuple[str, ...]]:
    """Return whether answers to the same question differ, and from which generators they were drawn."""
    shape, answers = tuple(images.shape[1:]), []
    pinned = defence.pin(noise, shape)
    answers.append(pinned(images))  # what is loaded on first use is loaded now
    drawn = generators_moved(lambda: answers.append(pinned(images)))
    answers.append(defence.pin(noise, shape)(images))
    with torch.enable_grad():  # some draw only where gradients are asked for
        drawn += generators_moved(lambda: answers.append(pinned(images.detach().requires_grad_()).detach()))
    first, *others = answers
    gap = torch.stack([(first - other).abs().amax(1) for other in others]).amax(0)
    moved = gap > SAME * first.abs().amax(1).clamp(min=1)
    return (moved | bool(drawn)).cpu(), drawn


def _slopes(logits: ImageMap, batch: Batch, noise: Noise, radius: float) -> tuple[Tensor, ...]:
    """Return how the margin follows its gradient, near and far, what that leaves out, and whether there is none."""
    images, lengths = _sharpest(logits, _inside(batch.images, noise.child("place"), radius))
    gradient = _gradient(logits, images, labels_of(batch))
    norm = length_of(gradient)
    direction = rescale(gradient, "l2", 1.0)
    ratios = [_change(logits, images, length * direction, labels_of(batch)) / (2 * length * norm) for length in lengths]
    followed = torch.stack(ratios).median(0).values.where(norm > 0, torch.nan)
    far = _change(logits, images, radius * noise.child("far").sign_like(images), labels_of(batch)).abs()
    ahead = _change(logits, images, radius * gradient.sign(), labels_of(batch))
    reached = (ahead / (2 * radius * image_by_image(torch.sum, gradient.abs()))).where(norm > 0, torch.nan)
    sides = [noise.child("beside", place).sign_like(images) for place in range(DIRECTIONS)]
    told = torch.stack([2 * lengths[1] * image_by_image(torch.sum, gradient * side) for side in sides])
    seen = torch.stack([_change(logits, images, lengths[1] * side, labels_of(batch)) for side in sides])
    missed = length_of((told - seen).mT) / length_of(seen.mT)
    masked = (norm == 0) & (far > SAME)
    return tuple(fact.double().cpu() for fact in (followed, reached, missed, masked))


def _inside(images: Tensor, noise: Noise, radius: float) -> Tensor:
    """Return images near by, off the edges of [0, 1] and off the ties of real images, where kinks are no accident."""
    return 0.5 + (1 - 2 * radius) * (images - 0.5) + 0.9 * radius * noise.uniform_like(images)


def _sharpest(logits: ImageMap, images: Tensor) -> tuple[Tensor, tuple[float, ...]]:
    """Return images in float64, where differences are smallest, if the defence takes them, and lengths to go."""
    try:
        if logits(images.double()).dtype == torch.float64:
            return images.double(), LENGTHS
    except RuntimeError:
        pass
    return images, tuple(100 * length for length in LENGTHS)


@torch.enable_grad()
def _gradient(logits: ImageMap, images: Tensor, labels: Tensor) -> Tensor:
    """Return the margin's gradient as autograd gives it: zero where the graph is cut or is no number."""
    point = images.detach().requires_grad_()
    margin = _margin(logits(point), labels)
    if not margin.requires_grad:
        return torch.zeros_like(images)
    (gradient,) = torch.autograd.grad(margin.sum(), point, materialize_grads=True)
    return gradient.nan_to_num(0, 0, 0)


@torch.no_grad()
def _change(logits: ImageMap, images: Tensor, displacement: Tensor, labels: Tensor) -> Tensor:
    """Return by how much the margin changes from one side of the images to the other."""
    ahead, behind = (_margin(logits(images + sign * displacement), labels) for sign in (1, -1))
    return ahead - behind


def _margin(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the right logit less the mean of all: smooth, and never saturated."""
    return logits.gather(1, labels[:, None])[:, 0] - logits.mean(1)
