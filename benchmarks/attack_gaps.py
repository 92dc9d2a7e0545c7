"""Whether our attacks leave as many images right as those of torchattacks, on the same pinned defence."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.attack_peers import RADIUS, STEP, check_installed, target_of, torchattacks
from benchmarks.figure import Figure, at_most
from purigeom.attacks.adversary import Attack
from purigeom.attacks.apgd import APGD
from purigeom.attacks.autoattack import AutoAttack
from purigeom.attacks.mi_fgsm import MIFGSM
from purigeom.attacks.pgd import PGD
from purigeom.catalog import CLASSIFIERS, DIGITS_UNET
from purigeom.defence.defended import Defended
from purigeom.defence.judge import correct
from purigeom.defence.module import as_module
from purigeom.images import Digits
from purigeom.noise import Noise
from purigeom.protocols import Batch, ImageMap
from purigeom.purifiers.diffusion.ddim import OneShot
from purigeom.purifiers.gaussian import GaussianNoise

SUITE_RADIUS = 0.18
"""Of AutoAttack: an image that it leaves right costs 5000 questions of Square alone, and this leaves few."""


@dataclass(frozen=True)
class Pair:
    """An attack of ours and its peer's name and settings in torchattacks."""

    attack: Attack
    name: str
    settings: Mapping[str, Any]


PAIRS: Mapping[str, Pair] = {
    "pgd": Pair(PGD(40, relative_step=STEP / RADIUS, iterate="last"), "PGD", {"steps": 40, "alpha": STEP}),
    "mi-fgsm": Pair(MIFGSM(10), "MIFGSM", {"steps": 10, "alpha": STEP}),
    "apgd-ce": Pair(APGD(100), "APGD", {"steps": 100}),
    "apgd-dlr": Pair(APGD(100, loss="dlr"), "APGD", {"steps": 100, "loss": "dlr"}),
}

SUITE: Mapping[str, Any] = {"version": "standard", "norm": "Linf", "n_classes": 10, "seed": 0}
"""How torchattacks' AutoAttack is asked for what ours does."""


class Plain(nn.Module):
    """A pinned defence as anyone would write it, by none of our ways of asking a target."""

    def __init__(self, logits: ImageMap) -> None:
        super().__init__()
        self.logits, self.place = logits, nn.Parameter(torch.zeros(()))  # libraries look for the device

    def forward(self, images: Tensor) -> Tensor:
        """Return logits."""
        return self.logits(images)


def robust_accuracy_gap(kind: str, images: int = 128) -> Figure:
    """Attack with ours and with theirs, and judge both."""
    pair, batch = PAIRS[kind], Digits()[:images].load()
    defence = Defended(OneShot(DIGITS_UNET, depth=100), CLASSIFIERS["digits"])
    target = target_of(defence, batch)
    attack = torchattacks(pair.name, as_module(target, batch, RADIUS), eps=RADIUS, **pair.settings)
    assert batch.labels is not None
    ours = pair.attack(target, batch, Noise(0, batch.image_ids).child("search"), RADIUS)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        theirs = attack(batch.images, batch.labels)
    one, other = (points(correct(defence, found, batch.labels, target.configuration)) for found in (ours, theirs))
    how = (
        f"robust accuracy, in points, of {pair.attack!r} less torchattacks' {pair.name} with {dict(pair.settings)}: "
        f"{one:.2f} less {other:.2f}, absolute; {images} digits (one is {100 / images:.2f} points), radius {RADIUS}, "
        "one pinned configuration of OneShot at depth 100 before 'digits-classifier', known to both"
    )
    return at_most(f"robust_accuracy_gap.{kind}", abs(one - other), 1, how)


def autoattack_gap(images: int = 128, radius: float = SUITE_RADIUS) -> Figure:
    """Run our AutoAttack, which is pyautoattack on our module, and torchattacks' on a plain one, and judge both."""
    check_installed("pyautoattack")
    check_installed("torchattacks")
    batch, defence = Digits()[:images].load(), Defended(GaussianNoise(sigma=0.25), CLASSIFIERS["digits"])
    target, attack = target_of(defence, batch), AutoAttack()
    assert batch.labels is not None
    found = attack(target, batch, Noise(0, batch.image_ids).child("search"), radius)
    peer = torchattacks_suite(defence, batch, target.configuration, radius)
    one, other = (correct(defence, attacked, batch.labels, target.configuration) for attacked in (found, peer))
    how = (
        f"robust accuracy, in points, of {attack!r}, which runs pyautoattack {version('pyautoattack')} on as_module, "
        f"less AutoAttack of torchattacks {version('torchattacks')} with {SUITE}, another port of the published "
        f"code, on a plain module of the same pinned map, without target or as_module: {points(one):.2f} less "
        f"{points(other):.2f}, absolute; they agree on {int((one == other).sum())} of {images} digits (one is "
        f"{100 / images:.2f} points), attacked one at a time; radius {radius}, one pinned configuration of "
        f"{defence.purifier!r} before 'digits-classifier', known to both"
    )
    return at_most("robust_accuracy_gap.autoattack-standard", abs(points(one) - points(other)), 1, how)


def torchattacks_suite(defence: Defended, batch: Batch, configuration: Noise, radius: float) -> Tensor:
    """Return what torchattacks' AutoAttack makes of images, each in a module of its own with its noise pinned."""
    assert batch.labels is not None
    found, shape = [], tuple(batch.images.shape[1:])
    for place in range(len(batch)):
        image = slice(place, place + 1)
        attack = torchattacks("AutoAttack", Plain(defence.pin(configuration[image], shape)), eps=radius, **SUITE)
        with torch.random.fork_rng():
            found.append(attack(batch.images[image], batch.labels[image]).detach())
    return torch.cat(found)


def points(right: Tensor) -> float:
    """Return the share of images that are right, in percentage points."""
    return 100 * float(right.double().mean())
