"""Train networks that give clean images back: from attacked ones, from masked ones or from noisy ones."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from purigeom.attacks.pgd import PGD
from purigeom.defence.checks import labels_of
from purigeom.networks.masked_autoencoder import PatchTransformer
from purigeom.noise import Noise
from purigeom.protocols import Batch, Classifier, RandomMap
from purigeom.training.autoencoder import crafted
from purigeom.training.descent import QUIETLY, Run
from purigeom.training.losses import MASKED, Design, Shown
from purigeom.training.recipe import Recipe, adam, descend, digested
from purigeom.training.saving import saved

CRAFTED = PGD(steps=10, relative_step=0.25)
JUDGING = PGD(steps=40, relative_step=0.1)


@dataclass(frozen=True)
class Pairs:
    """Clean images and what an attack on the bare classifier made of each."""

    clean: Tensor
    attacked: Tensor


@dataclass(frozen=True)
class Subject:
    """Images to learn from, others to judge by, the classifier that is attacked, and how far.

    Every image to learn from is attacked `draws` times, from as many starts.
    """

    train: Batch
    test: Batch
    against: Classifier
    radii: tuple[float, ...]
    draws: int = 1

    def pairs(self) -> Pairs:
        """Return attacks to learn from, at the largest radius."""
        attacked = [crafted(self.train, self.against, CRAFTED, max(self.radii), draw) for draw in range(self.draws)]
        return Pairs(self.train.images.repeat(self.draws, 1, 1, 1), torch.cat(attacked))

    def judging(self, radius: float) -> Tensor:
        """Return attacks on the images to judge by."""
        return crafted(self.test, self.against, JUDGING, radius)


@dataclass(frozen=True)
class Plan:
    """A network, what it is asked to lose least of, for how long, and the purifier that it becomes."""

    build: Callable[..., nn.Module]
    settings: Mapping[str, Any]
    design: Design
    recipe: Recipe
    purifier: Callable[[str], RandomMap]


def restorer(pairs: Pairs, plan: Plan, run: Run = QUIETLY) -> nn.Module:
    """Train a plan's network on pairs of images, and return it as the last step leaves it: the rate ends at nothing."""
    torch.manual_seed(plan.recipe.seed)  # initial weights; only training uses torch's own generator
    network = run.hardware.settle(plan.build(**plan.settings))
    if plan.design.loss in MASKED and not isinstance(network, PatchTransformer):
        msg = f"The loss {plan.design.loss!r} needs a masked autoencoder; got `{plan.build.__name__}`."
        raise ValueError(msg)
    called = run.hardware.called(network)

    def loss(chosen: Tensor, noise: Noise) -> Tensor:
        clean, attacked = (run.hardware.place(images[chosen]) for images in (pairs.clean, pairs.attacked))
        with run.hardware.precision():
            return plan.design(called, Shown(clean, attacked, noise))

    about = f"{plan.design} {dict(plan.settings)} {digested(pairs.clean, pairs.attacked)}"
    training = adam(network, plan.recipe, about=about)
    return descend(training, loss, plan.recipe, len(pairs.clean), run)


def train_restorer(target: Path, subject: Subject, plan: Plan, run: Run = QUIETLY) -> dict[str, float]:
    """Train a plan's network, save it and return what the purifier of what was saved is worth."""
    saved(target, restorer(subject.pairs(), plan, run), plan.settings)
    return worth(plan.purifier(str(target)), subject)


def worth(purifier: RandomMap, subject: Subject) -> dict[str, float]:
    """Return accuracy after purification, and the mean distance to the clean images: of clean and of attacked ones.

    The attack is not adaptive: it never saw the purifier.
    """
    test = subject.test
    purify = purifier.pin(Noise(0, test.image_ids, ("held out",)), tuple(test.images.shape[1:]))
    shown = {"clean": test.images, **{f"attacked_{radius:.2g}": subject.judging(radius) for radius in subject.radii}}
    classify, found = subject.against.load(), {}
    for name, images in shown.items():
        with torch.no_grad():
            purified = purify(images)
            found[f"{name}_accuracy"] = (classify(purified).argmax(1) == labels_of(test)).float().mean().item()
            found[f"{name}_distance"] = (purified - test.images).abs().mean().item()
    return found
