"""Why an attack by gradients may say nothing of a defence: hidden randomness, test-time optimisation, bad gradients."""

from dataclasses import dataclass

import torch
from torch import Tensor

from purigeom.defence.checks import labels_of
from purigeom.defence.defended import Defended
from purigeom.defence.watch import generators_moved, gradients_turned_on
from purigeom.geometry.displacement import rescale
from purigeom.noise import Noise
from purigeom.protocols import Batch, ImageMap

SAME = 1e-4
"""Largest gap between two answers to one question, relative to the largest logit: kernels that sum in varying order."""
FOLLOWED = 0.3
"""How far from one the slope along a gradient may be, relative to its length: kinks cost a few per cent."""
REACHED = 0.1
"""Least part that the margin must change by over a radius, of what its gradient says: networks bend mildly."""
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
    masked
        Whether the margin changes though it has no gradient.
    faults
        The same in words, one sentence each; none where nothing is suspicious.
    """

    hidden: Tensor
    optimised: Tensor
    followed: Tensor
    reached: Tensor
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
    logits = defence.pin(noise, tuple(batch.images.shape[1:]))
    hidden, drawn = _hidden(defence, batch.images, noise)
    turned_on = gradients_turned_on(lambda: logits(batch.images))
    followed = reached = masked = torch.full((len(batch),), torch.nan, dtype=torch.float64)
    if not hidden.any():
        followed, reached, masked = _slopes(logits, batch, noise.child("differences"), radius)
    faults = (
        _hidden_told(hidden, drawn, defence),
        _optimised_told(turned_on, defence),
        _shattered_told(followed, reached, batch),
        _masked_told(masked == 1, batch),
    )
    optimised = torch.full((len(batch),), bool(turned_on))
    return Diagnosis(hidden, optimised, followed, reached, masked == 1, tuple(filter(None, faults)))


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


def _slopes(logits: ImageMap, batch: Batch, noise: Noise, radius: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return how differences of the margin follow its gradient, near and far, and whether it changes without one."""
    images, lengths = _sharpest(logits, _inside(batch.images, noise.child("place"), radius))
    gradient = _gradient(logits, images, labels_of(batch))
    norm = gradient.flatten(1).norm(dim=1)
    direction = rescale(gradient, "l2", 1.0)
    ratios = [_change(logits, images, length * direction, labels_of(batch)) / (2 * length * norm) for length in lengths]
    followed = torch.stack(ratios).median(0).values.where(norm > 0, torch.nan)
    far = _change(logits, images, radius * noise.child("far").sign_like(images), labels_of(batch)).abs()
    ahead = _change(logits, images, radius * gradient.sign(), labels_of(batch))
    reached = (ahead / (2 * radius * gradient.flatten(1).abs().sum(1))).where(norm > 0, torch.nan)
    return followed.double().cpu(), reached.double().cpu(), ((norm == 0) & (far > SAME)).double().cpu()


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


def _hidden_told(hidden: Tensor, drawn: tuple[str, ...], defence: Defended) -> str:
    if not hidden.any():
        return ""
    drawn = tuple(dict.fromkeys(drawn))
    source = f"it draws from {' and '.join(drawn)} global generator" if drawn else "it keeps a generator of its own"
    return (
        f"Hidden randomness: {defence!r} answers the same question in more than one way, or might; {source}. Attack "
        "and judge meet different defences; draw its noise from the Noise it is pinned with."
    )


def _optimised_told(turned_on: str, defence: Defended) -> str:
    if not turned_on:
        return ""
    return (
        f"Test-time optimisation: {defence!r} ran {turned_on} with gradients turned on while they were off. Its exact "
        "gradient needs those of what it optimises; BPDA() passes it by."
    )


def _shattered_told(followed: Tensor, reached: Tensor, batch: Batch) -> str:
    apart = ((followed - 1).abs() > FOLLOWED) | (reached < REACHED)
    return _of_images("Shattered gradients: the margin does not change along its gradient as that says", apart, batch)


def _masked_told(masked: Tensor, batch: Batch) -> str:
    return _of_images("Masked gradients: the margin changes, and its gradient is zero or missing", masked, batch)


def _of_images(fault: str, found: Tensor, batch: Batch) -> str:
    ids = [batch.image_ids[place] for place in found.nonzero().flatten().tolist()]
    if not ids:
        return ""
    return (
        f"{fault}, for {len(ids)} of {len(batch)} images, such as {ids[:5]}. Take BPDA(), EOT() or an attack that asks "
        "for no gradient."
    )
