"""Train the networks of 32x32 colour images that the repository holds: a denoiser, two classifiers, an autoencoder."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from purigeom.attacks.pgd import PGD
from purigeom.networks.classifier import ConvNet
from purigeom.protocols import Batch, Classifier
from purigeom.training.autoencoder import crafted, purifying
from purigeom.training.classifier import ClassifierRecipe, accuracy, classifier, normalisation
from purigeom.training.denoiser import denoiser_saved, held_out_errors, noise_predictor
from purigeom.training.descent import QUIETLY, Run
from purigeom.training.recipe import Recipe
from purigeom.training.saving import saved

RADIUS = 8 / 255
CRAFTED_IMAGES = 10_000
"""Of the train split, attacked once for the autoencoder."""

LEAN: Mapping[str, Any] = {
    "sample_size": 32,
    "in_channels": 3,
    "out_channels": 3,
    "layers_per_block": 1,
    "block_out_channels": (64, 128, 192),
    "down_block_types": ("DownBlock2D",) * 3,
    "up_block_types": ("UpBlock2D",) * 3,
    "add_attention": False,
    "norm_num_groups": 8,
}
"""6.6 M parameters, for two cores and two hours."""
LARGE: Mapping[str, Any] = {
    **LEAN,
    "layers_per_block": 2,
    "block_out_channels": (128, 192, 256),
    "down_block_types": ("DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"),
    "up_block_types": ("AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"),
    "attention_head_dim": 64,
    "add_attention": True,
    "dropout": 0.1,
    "norm_num_groups": 32,
}
"""22.5 M parameters, for a GPU."""
CODE: Mapping[str, Any] = {"channels": 3, "size": 32, "widths": (32, 64, 96), "code": 24}
"""An image of 3,072 numbers passes through a code of 1,536."""

LEAN_DENOISER = Recipe(steps=8000, peak_rate=1e-3, batch=32, levels=250)
LARGE_DENOISER = Recipe(steps=100_000, peak_rate=4e-4, batch=256, levels=1000)
CLASSIFIER = ClassifierRecipe(epochs=16)
ROBUST = ClassifierRecipe(epochs=10, peak_rate=0.8, smoothing=0.0, radius=RADIUS, widths=(32, 128, 128))
AUTOENCODER = Recipe(steps=3000, peak_rate=2e-3, batch=64)
CRAFTED = PGD(steps=7, relative_step=0.3)
JUDGING = PGD(steps=20, relative_step=0.25)
JUDGED_IMAGES = 1000
"""Of the test split, where judging means attacking."""


@dataclass(frozen=True)
class Data:
    """Labelled images to learn from, and others to judge by."""

    train: Batch
    test: Batch


def train_denoiser(
    target: Path,
    data: Data,
    architecture: Mapping[str, Any] = LEAN,
    recipe: Recipe = LEAN_DENOISER,
    run: Run = QUIETLY,
) -> dict[str, float]:
    """Train a noise predictor on images and their mirror images; return the held-out errors of what was saved."""
    mirrored = torch.cat([data.train.images, data.train.images.flip(-1)])
    network = noise_predictor(mirrored, architecture, recipe, run)
    return held_out_errors(denoiser_saved(target, network), data.test[:JUDGED_IMAGES])


def train_classifier(
    target: Path, data: Data, recipe: ClassifierRecipe = CLASSIFIER, run: Run = QUIETLY
) -> dict[str, float]:
    """Train a classifier, save it; return the held-out accuracy of what was saved, and under attack if it knows one."""
    network = classifier(data.train, recipe, run)
    mean, deviation = normalisation(data.train)
    settings = {"architecture": "whitened", "mean": mean, "deviation": deviation, "widths": recipe.widths}
    saved(target, network, settings)
    who, few = ConvNet(str(target)), data.test[:JUDGED_IMAGES]
    found = {"held_out_accuracy": accuracy(who, data.test)}
    if recipe.radius:
        found["attacked_accuracy"] = accuracy(who, replace(few, images=crafted(few, who, JUDGING, recipe.radius)))
    return found


def train_autoencoder(
    target: Path, data: Data, against: Classifier, recipe: Recipe = AUTOENCODER, run: Run = QUIETLY
) -> dict[str, float]:
    """Train an autoencoder on attacks against a classifier, save it; return what it does to held-out images.

    The attack never looked at the autoencoder: what is right afterwards says nothing about an attack that does.
    """
    train, test = data.train[:CRAFTED_IMAGES], data.test[:JUDGED_IMAGES]
    network = purifying(train.images, crafted(train, against, CRAFTED, RADIUS), CODE, recipe, run)
    stored = saved(target, network, CODE)
    attacked = replace(test, images=crafted(test, against, CRAFTED, RADIUS))
    purified, purified_clean = (_purified(stored, batch) for batch in (attacked, test))
    return {
        "held_out_distance": (purified.images - test.images).abs().mean().item(),
        "attacked_distance": (attacked.images - test.images).abs().mean().item(),
        "attacked_accuracy": accuracy(against, attacked),
        "purified_accuracy": accuracy(against, purified),
        "purified_clean_accuracy": accuracy(against, purified_clean),
    }


@torch.no_grad()
def _purified(network: nn.Module, batch: Batch) -> Batch:
    return replace(batch, images=network(batch.images).clamp(0, 1))
