"""How long and how fast a network is trained with AdamW, and the steps of such a training."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

import torch
from torch import Tensor, nn

from purigeom.noise import Noise
from purigeom.training.descent import QUIETLY, Run, Training, train


@dataclass(frozen=True)
class Recipe:
    """How long and how fast to train with AdamW under a one-cycle rate."""

    steps: int
    peak_rate: float
    batch: int = 64
    weight_decay: float = 0.01
    seed: int = 0
    levels: int = 400
    """Of 1000 noise levels, how many of the lower ones a denoiser is trained on; for other networks it says nothing."""


def adam(network: nn.Module, recipe: Recipe, average_decay: float | None = None, about: str = "") -> Training:
    """Return a training with AdamW under a one-cycle rate.

    It goes on only from states of the same recipe, and of the same of all else that it depends on, which `about` says.
    """
    optimiser = torch.optim.AdamW(network.parameters(), recipe.peak_rate, weight_decay=recipe.weight_decay)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.peak_rate, total_steps=recipe.steps, pct_start=0.1)
    return Training(network, optimiser, rate, average_decay, recipe=f"{recipe} {about}".rstrip())


def digested(*tensors: Tensor) -> str:
    """Return a digest of what a training learns from, for its recipe: no training goes on with other images."""
    return sha256(b"".join(tensor.detach().cpu().contiguous().numpy().tobytes() for tensor in tensors)).hexdigest()[:16]


def descend(
    training: Training, loss: Callable[[Tensor, Noise], Tensor], recipe: Recipe, images: int, run: Run = QUIETLY
) -> nn.Module:
    """Take the recipe's steps down a loss of chosen images, of so many; return the network to be kept."""
    places = torch.zeros(recipe.batch)

    def loss_at(step: int) -> Tensor:
        noise = Noise(recipe.seed, tuple(range(recipe.batch)), ("train", step))
        return loss(noise.child("images").words_like(places) % images, noise)

    return train(training, loss_at, recipe.steps, run)
