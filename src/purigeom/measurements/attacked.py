"""Whom measurements of boundaries attack: the pinned defence, or the classifier alone at a place; and the answers."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, TypeAlias, get_args

import torch
from torch import Tensor

from purigeom.attacks.adversary import Adversary, Attack
from purigeom.attacks.losses import cw
from purigeom.contract import Checked
from purigeom.defence.checks import check_labels
from purigeom.defence.defended import Defended
from purigeom.defence.gradients import Withheld
from purigeom.defence.knowledge import Fixed
from purigeom.defence.target import Target
from purigeom.geometry.displacement import rescale
from purigeom.measurements.configuration import configurations
from purigeom.noise import Noise
from purigeom.protocols import Batch, Classifier, RandomMap
from purigeom.purifiers.identity import Identity

Place: TypeAlias = Literal["clean image", "anchor", "defence"]


def check_places(measurement: object, places: Sequence[Place], known: Sequence[Place] = get_args(Place)) -> None:
    """Raise unless the places are known, distinct and at least one."""
    if not isinstance(places, tuple) or not places or len(set(places)) != len(places) or not set(places) <= set(known):
        msg = f"{type(measurement).__name__}.places must be a tuple of distinct ones of {tuple(known)}; got {places!r}."
        raise ValueError(msg)


def targets(adversary: Adversary, defence: Defended, noise: Noise, draws: int) -> list[Target]:
    """Return every draw's target, with the noise that `Survival` gives it: the attacked images are the same."""
    return [
        Target(defence, pinned, noise.child("attack", draw), adversary.knowledge, adversary.gradient)
        for draw, pinned in enumerate(configurations(noise, draws))
    ]


def attacked(target: Target, attack: Attack, batch: Batch, radius: float) -> Tensor:
    """Return what an attack makes of the images."""
    return attack(target, batch, target.attacker.child("search"), radius)


def unbroken(values: Tensor, target: Target) -> Tensor:
    """Return numbers whose last dimension is the images, NaN where a gradient of the target's attack broke."""
    broken = [image_id in target.ledger.broken for image_id in target.image_ids]
    return values.masked_fill(torch.tensor(broken, device=values.device), torch.nan)


def bare(classifier: Classifier, noise: Noise) -> Target:
    """Return the classifier as a target, behind no purifier."""
    return Target(Defended(Identity(), classifier), noise, noise)


@torch.no_grad()
def anchored(purifier: RandomMap, batch: Batch, pinned: Noise) -> Batch:
    """Return the batch with its anchors f(x0) as images, clamped into [0, 1], where attacks stay."""
    anchors = Checked(purifier).pin(pinned, tuple(batch.images.shape[1:]))(batch.images)
    return replace(batch, images=anchors.clamp(0, 1))


def answers(target: Target, images: Tensor) -> Tensor:
    """Return the logits of the target's own configuration, whatever its attacker knows."""
    return replace(target, knowledge=Fixed(), gradient=Withheld()).logits(images)[0]


def margins(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the true logit less the largest other: negative where the answer is wrong.

    Examples
    --------
    >>> margins(torch.tensor([[3.0, 1.0, 2.5]]), torch.tensor([0]))
    tensor([0.5000])
    """
    return -cw(logits, check_labels(labels, logits.shape[1]))


def direction(images: Tensor, clean: Tensor) -> Tensor:
    """Return the direction from clean images to others, at l2 length one; zero where they are the same."""
    return rescale(images - clean, "l2", 1)
