"""Train a score by denoising score matching (Vincent 2011) that is not told how noisy an image is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from purigeom.networks.score import score
from purigeom.noise import Noise
from purigeom.training.descent import QUIETLY, Run
from purigeom.training.recipe import Recipe, adam, descend, digested

AVERAGE_DECAY = 0.995


@dataclass(frozen=True)
class Deviations:
    """Between which deviations every image gets its own, uniformly in their logarithm."""

    lowest: float = 0.01
    highest: float = 0.5


DEFAULT = Deviations()


def denoising_score(
    images: Tensor, settings: Mapping[str, Any], recipe: Recipe, deviations: Deviations = DEFAULT, run: Run = QUIETLY
) -> nn.Module:
    """Train a score on images in [0, 1]; return its average over the last steps.

    The loss is that of every deviation times its square, as published: the answer is the score times the deviation.
    """
    torch.manual_seed(recipe.seed)  # initial weights; only training uses torch's own generator
    network = run.hardware.settle(score(**settings))
    called = run.hardware.called(network)

    def loss(chosen: Tensor, noise: Noise) -> Tensor:
        clean = run.hardware.place(images[chosen])
        with run.hardware.precision():
            return matching_error(called, clean, deviations, noise)

    about = f"{deviations} {dict(settings)} {digested(images)}"
    training = adam(network, recipe, AVERAGE_DECAY, about=about)
    return descend(training, loss, recipe, len(images), run)


def matching_error(network: nn.Module, clean: Tensor, deviations: Deviations, noise: Noise) -> Tensor:
    """Return the mean squared error of minus the standard noise; answering nothing scores 1."""
    place = (1 + noise.child("deviation").uniform_like(clean[:, :1, :1, :1])) / 2
    deviation = deviations.lowest * (deviations.highest / deviations.lowest) ** place
    normal = noise.child("normal").normal_like(clean)
    return mse_loss(network(clean + deviation * normal).float(), -normal)
