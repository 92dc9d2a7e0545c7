"""Train a classifier together with the self-supervised heads that SOAP purifies by: for digits minutes on a CPU."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss

from purigeom.defence.checks import labels_of
from purigeom.images import Digits
from purigeom.networks.self_supervised import LOSSES, SelfSupervised, consistency, rotation, said, self_supervised
from purigeom.noise import Noise
from purigeom.protocols import Batch
from purigeom.training.classifier import accuracy
from purigeom.training.descent import QUIETLY, Run
from purigeom.training.recipe import Recipe, adam, descend, digested
from purigeom.training.saving import saved

AVERAGE_DECAY = 0.99


@dataclass(frozen=True)
class Weights:
    """What every task counts beside that of the classes, and how noisy the images are shown."""

    rotation: float = 0.5
    reconstruction: float = 5.0
    consistency: float = 0.05
    noise: float = 0.1


BALANCED = Weights()


@dataclass(frozen=True)
class SoapPlan:
    """A network with all heads, and for how long it is trained."""

    settings: Mapping[str, Any]
    recipe: Recipe


SOAP_PLANS: Mapping[str, SoapPlan] = {
    "digits": SoapPlan({"channels": 1, "size": 8, "width": 32, "code": 2, "classes": 10}, Recipe(1500, 3e-3)),
    "cifar10": SoapPlan(
        {"channels": 3, "size": 32, "width": 128, "code": 6, "classes": 10}, Recipe(20_000, 1e-3, batch=128)
    ),
}
"""By images; pixels pass through a code of half as many numbers. Our own sizes: published are residual networks."""


def train_digits(target: Path, recipe: Recipe = SOAP_PLANS["digits"].recipe, run: Run = QUIETLY) -> dict[str, float]:
    """Train on the digits as planned, but for the recipe; return the held-out figures of what was saved."""
    digits = Digits("train").load(), Digits("test").load()
    return train_soap(target, *digits, replace(SOAP_PLANS["digits"], recipe=recipe), run)


def train_soap(target: Path, train: Batch, test: Batch, plan: SoapPlan, run: Run = QUIETLY) -> dict[str, float]:
    """Train a plan's network, save it as a folder of half floats; return the held-out figures of what was saved."""
    saved(target, multitask(train, plan.settings, plan.recipe, run=run), plan.settings)
    return held_out(SelfSupervised(str(target)), test)


def multitask(
    images: Batch, architecture: Mapping[str, Any], recipe: Recipe, weights: Weights = BALANCED, run: Run = QUIETLY
) -> nn.Module:
    """Train all heads at once on labelled images in [0, 1]; return the average over the last steps."""
    torch.manual_seed(recipe.seed)  # initial weights and dropout; only training uses torch's own generator
    network = run.hardware.settle(self_supervised(**architecture))
    answer = partial(said, network)

    def loss(chosen: Tensor, noise: Noise) -> Tensor:
        clean = run.hardware.place(images.images[chosen])
        labels = run.hardware.place(labels_of(images)[chosen])
        shown = clean + weights.noise * noise.child("shown").normal_like(clean)
        with run.hardware.precision():
            return (
                cross_entropy(answer("classes", shown), labels)
                + weights.reconstruction * mse_loss(answer("pixels", shown), clean)
                + weights.rotation * rotation(answer, shown).mean()
                + weights.consistency * consistency(answer, shown).mean()
            )

    about = f"{weights} {dict(architecture)} {digested(images.images, labels_of(images))}"
    training = adam(network, recipe, AVERAGE_DECAY, about=about)
    return descend(training, loss, recipe, len(images), run)


@torch.no_grad()
def held_out(network: SelfSupervised, test: Batch) -> dict[str, float]:
    """Return the accuracy, and every auxiliary loss, on images that were not trained on."""
    answer = network.answer()
    errors = {f"held_out_{name}": loss(answer, test.images).mean().item() for name, loss in LOSSES.items()}
    return {"held_out_accuracy": accuracy(network, test), **errors}
