"""What every catalogued adversary promises, on digits behind a short chain of diffusion steps."""

import importlib.util
from dataclasses import fields, replace

import pytest
import torch

from purigeom.attacks.adversary import Adversary, Attack
from purigeom.attacks.autoattack import AutoAttack
from purigeom.attacks.deviation import DiffAttack
from purigeom.attacks.fab import FAB
from purigeom.attacks.mi_fgsm import MIFGSM
from purigeom.attacks.pgd import PGD
from purigeom.attacks.sia import SIA
from purigeom.attacks.square import Square
from purigeom.catalog import ATTACKS, CLASSIFIERS, DIGITS_UNET, IMAGES
from purigeom.defence.defended import Defended
from purigeom.defence.gradients import Surrogate, Withheld
from purigeom.defence.knowledge import EOT, Unaware
from purigeom.defence.ledger import Ledger
from purigeom.defence.target import Target
from purigeom.noise import Noise
from purigeom.purifiers.diffusion.ddpm import DDPM

BATCH = IMAGES["digits"].load()[:3]
NOISE = Noise(0, BATCH.image_ids)
DEFENCE = Defended(DDPM(DIGITS_UNET, depth=60, steps=2), CLASSIFIERS["digits"])
RADIUS = 0.1
FEW = {"steps": 3, "queries": 20, "copies": 2, "targets": 2, "iterations": 2}
NO_PEER = importlib.util.find_spec("pyautoattack") is None


def shortened(adversary):
    """Return an adversary that takes seconds: of few steps, draws and copies."""
    attack = adversary.attack
    names = {field.name for field in fields(attack)} & set(FEW)
    knowledge = replace(adversary.knowledge, count=2) if isinstance(adversary.knowledge, EOT) else adversary.knowledge
    gradient = Surrogate(1) if isinstance(adversary.gradient, Surrogate) else adversary.gradient
    return replace(
        adversary, attack=replace(attack, **{name: FEW[name] for name in names}), knowledge=knowledge, gradient=gradient
    )


def attacked(adversary, batch, noise):
    ledger = Ledger()
    target = Target(
        DEFENCE, noise.child("configuration"), noise.child("attacker"), adversary.knowledge, adversary.gradient, ledger
    )
    return adversary.attack(target, batch, noise.child("search"), RADIUS), ledger


@pytest.mark.parametrize("name", ATTACKS)
def test_a_catalogued_adversary_keeps_the_laws_of_attacks(name) -> None:
    adversary = shortened(ATTACKS[name])
    if isinstance(adversary.attack, AutoAttack):
        pytest.skip("AutoAttack has no fewer steps to ask for: tests/attacks/test_autoattack.py tries it")
    if isinstance(adversary.attack, FAB | Square) and NO_PEER:
        pytest.skip("pyautoattack is not installed: pip install 'purigeom[autoattack]'")
    assert isinstance(adversary.attack, Attack)
    found, ledger = attacked(adversary, BATCH, NOISE)
    displacement = (found - BATCH.images).flatten(1)
    length = displacement.abs().amax(1) if adversary.attack.norm == "linf" else displacement.norm(dim=1)
    assert (length <= RADIUS * (1 + 1e-5)).all()
    assert ((found >= 0) & (found <= 1)).all()
    assert torch.equal(found, attacked(adversary, BATCH, NOISE)[0])
    alone, its = attacked(adversary, BATCH[1:2], NOISE[1:2])
    torch.testing.assert_close(alone, found[1:2], rtol=0, atol=1e-4)
    image_id = BATCH.image_ids[1]
    assert its.gradients[image_id] == ledger.gradients[image_id]
    assert its.purifications[image_id] == ledger.purifications[image_id]
    assert (ledger.gradients[image_id] == 0) == isinstance(adversary.gradient, Withheld)
    assert (ledger.purifications[image_id] == 0) == isinstance(adversary.knowledge, Unaware)
    assert not ledger.broken


def test_labels_of_adversaries_tell_them_apart() -> None:
    labels = [adversary.label for adversary in ATTACKS.values()]
    assert len(set(labels)) == len(labels)


def test_settings_that_differ_are_told_apart() -> None:
    usual, other = Adversary(PGD(3)), Adversary(PGD(3, relative_step=0.1, random_start=False))
    assert usual.label == "PGD-3 linf, fixed, exact"
    assert other.label == "PGD-3 linf (relative_step 0.1, random_start False), fixed, exact"
    assert Adversary(SIA(walk=MIFGSM(decay=0.0))).label != Adversary(SIA()).label
    assert Adversary(DiffAttack(weight=0.1), EOT(2)).label != Adversary(DiffAttack(), EOT(2)).label
