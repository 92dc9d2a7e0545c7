"""Train an autoencoder to take attacks back: the purification loss |G(x_adv) - x|_1 on images our own PGD attacked."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from purigeom.attacks.pgd import PGD
from purigeom.defence.defended import Defended
from purigeom.defence.target import Target
from purigeom.networks.autoencoder import autoencoder
from purigeom.noise import Noise
from purigeom.protocols import Batch, Classifier
from purigeom.purifiers.identity import Identity
from purigeom.training.descent import QUIETLY, Run
from purigeom.training.recipe import Recipe, adam, descend

AVERAGE_DECAY = 0.995
_AT_ONCE = 512


def crafted(batch: Batch, classifier: Classifier, attack: PGD, radius: float, draw: int = 0) -> Tensor:
    """Return what an attack on the bare classifier makes of the images; another draw starts elsewhere."""
    blocks = [batch[start : start + _AT_ONCE] for start in range(0, len(batch), _AT_ONCE)]
    return torch.cat([_crafted(block, classifier, attack, radius, draw) for block in blocks])


def _crafted(block: Batch, classifier: Classifier, attack: PGD, radius: float, draw: int) -> Tensor:
    noise = Noise(0, block.image_ids, ("crafted", draw) if draw else ("crafted",))
    target = Target(Defended(Identity(), classifier), noise, noise.child("attacker"))
    return attack(target, block, noise.child("search"), radius)


def purifying(
    clean: Tensor, attacked: Tensor, architecture: Mapping[str, Any], recipe: Recipe, run: Run = QUIETLY
) -> nn.Module:
    """Train an autoencoder to return clean images, in [0, 1], from attacked ones; both are mirrored at random.

    Returns its average over the last steps.
    """
    torch.manual_seed(recipe.seed)  # initial weights; only training uses torch's own generator
    network = run.hardware.settle(autoencoder(**architecture))
    called = run.hardware.called(network)

    def loss(chosen: Tensor, noise: Noise) -> Tensor:
        mirrored = noise.child("mirror").words_like(chosen).view(-1, 1, 1, 1) % 2 == 0
        shown, wanted = (
            run.hardware.place(torch.where(mirrored, images[chosen].flip(-1), images[chosen]))
            for images in (attacked, clean)
        )
        with run.hardware.precision():
            return l1_loss(called(shown).float(), wanted)

    return descend(adam(network, recipe, AVERAGE_DECAY), loss, recipe, len(clean), run)
