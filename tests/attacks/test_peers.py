"""Our attacks beside torchattacks' and foolbox's, on the same pinned defence: robust accuracy within one image of 128.

Optional: `pip install --no-deps torchattacks pyautoattack` first, the former being bound to an old version of requests;
and `pip install --no-deps foolbox eagerpy GitPython gitdb smmap`, which also wants git itself.
"""

import importlib
import importlib.util
from dataclasses import dataclass, replace

import pytest
import torch
from torch import nn

from purigeom.attacks.apgd import APGD
from purigeom.attacks.autoattack import AutoAttack
from purigeom.attacks.mi_fgsm import MIFGSM
from purigeom.attacks.pgd import PGD
from purigeom.catalog import CLASSIFIERS, DIGITS_UNET, IMAGES
from purigeom.defence.defended import Defended
from purigeom.defence.judge import correct
from purigeom.defence.module import as_module
from purigeom.defence.target import Target
from purigeom.noise import Noise
from purigeom.protocols import ImageMap, RandomMap
from purigeom.purifiers.diffusion.ddim import OneShot
from purigeom.purifiers.gaussian import GaussianBlur

BATCH = IMAGES["digits"].load()[:128]
NOISE = Noise(0, BATCH.image_ids)
ONE_IMAGE = 1.01 / 128


@dataclass(frozen=True)
class Shared:
    """Give every image the same noise: a defence that needs not be told which image it sees."""

    purifier: RandomMap

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> ImageMap:
        return lambda images: self.purifier.pin(replace(noise, image_ids=(0,) * len(images)), image_shape)(images)


class Plain(nn.Module):
    """A defence of shared noise as anyone would write it, by none of our ways of asking a target."""

    def __init__(self, defence: Defended) -> None:
        super().__init__()
        self.defence, self.place = defence, nn.Parameter(torch.zeros(()))

    def forward(self, images):
        return self.defence.pin(replace(CONFIGURATION, image_ids=(0,) * len(images)), (1, 8, 8))(images)


CONFIGURATION = NOISE.child("configuration")
ONE_SHOT = Defended(OneShot(DIGITS_UNET, depth=100), CLASSIFIERS["digits"])
BLUR = Defended(Shared(GaussianBlur(sigma=0.25)), CLASSIFIERS["digits"])


def needs(package):
    missing = importlib.util.find_spec(package) is None
    return pytest.mark.skipif(missing, reason=f"{package} is not installed: pip install --no-deps {package}")


def target_of(defence):
    return Target(defence, CONFIGURATION, NOISE.child("attacker"))


def ours(attack, defence, radius):
    return correct(
        defence, attack(target_of(defence), BATCH, NOISE.child("search"), radius), BATCH.labels, CONFIGURATION
    )


def theirs(name, model, defence, **settings):
    """Return what torchattacks' attack of a name leaves right, by our judge."""
    attack = getattr(importlib.import_module("torchattacks"), name)(model, **settings)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return correct(defence, attack(BATCH.images, BATCH.labels), BATCH.labels, CONFIGURATION)


def assert_within_one_image(ours, theirs) -> None:
    one, other = (right.double().mean().item() for right in (ours, theirs))
    assert 0.05 < other < 0.95
    assert abs(one - other) <= ONE_IMAGE, (one, other)


@needs("torchattacks")
@pytest.mark.parametrize(
    ("attack", "name", "settings"),
    [
        (PGD(40, relative_step=0.1, iterate="last"), "PGD", {"steps": 40, "alpha": 0.015}),
        (MIFGSM(10), "MIFGSM", {"steps": 10, "alpha": 0.015}),
        (APGD(100), "APGD", {"steps": 100}),
        (APGD(100, loss="dlr"), "APGD", {"steps": 100, "loss": "dlr"}),
    ],
)
def test_an_attack_leaves_what_torchattacks_leaves(attack, name, settings) -> None:
    """Through the module view, whose rows are known by their clean images."""
    model = as_module(target_of(ONE_SHOT), BATCH, 0.15)
    peer = theirs(name, model, ONE_SHOT, eps=0.15, **settings)
    assert_within_one_image(ours(attack, ONE_SHOT, 0.15), peer)


def test_pgd_leaves_what_foolbox_leaves() -> None:
    """Their LinfPGD takes the module view as it is, random start included."""
    library = pytest.importorskip("foolbox", reason="foolbox or what it imports is missing", exc_type=ImportError)
    model = library.PyTorchModel(as_module(target_of(ONE_SHOT), BATCH, 0.15), bounds=(0, 1))
    attack = library.attacks.LinfPGD(rel_stepsize=0.1, steps=40)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        found = attack(model, BATCH.images, BATCH.labels, epsilons=0.15)[1]
    peer = correct(ONE_SHOT, found, BATCH.labels, CONFIGURATION)
    assert_within_one_image(ours(PGD(40, relative_step=0.1, iterate="last"), ONE_SHOT, 0.15), peer)


@needs("torchattacks")
@needs("pyautoattack")
def test_autoattack_leaves_what_torchattacks_leaves() -> None:
    """Behind a purifier without a network, since ours asks image by image and Square alone asks 5000 times."""
    peer = theirs("AutoAttack", Plain(BLUR), BLUR, eps=0.165, version="standard", seed=0)
    assert_within_one_image(ours(AutoAttack(), BLUR, 0.165), peer)
