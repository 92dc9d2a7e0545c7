"""Train a noise predictor on images: seeded, on a CPU."""

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from purigeom.noise import Noise
from purigeom.protocols import Batch


@dataclass(frozen=True)
class Recipe:
    """How long and how fast to train; everything else is in the code below."""

    steps: int
    peak_rate: float
    batch: int = 64
    weight_decay: float = 0.01
    seed: int = 0


LEVELS = 400
"""Only the lower noise levels are trained, of 1000: purification stays below them."""
AVERAGE_DECAY = 0.999


def noise_predictor(
    images: Tensor,
    architecture: Mapping[str, Any],
    recipe: Recipe,
    watch: Callable[[int, Any, Any], None] | None = None,
) -> tuple[Any, Any]:
    """Train an unconditional UNet on images in [0, 1].

    Parameters
    ----------
    images
        What to learn from: (image, channel, row, column).
    architecture
        The arguments of diffusers' `UNet2DModel`.
    recipe
        How long and how fast to train.
    watch
        If given, called after every step with the number of steps taken, the averaged network and the scheduler.

    Returns
    -------
    The average of the network over the last steps, and DDPM's scheduler.
    """
    from diffusers import DDPMScheduler, UNet2DModel

    torch.manual_seed(recipe.seed)  # initial weights and dropout; only training uses torch's own generator
    network, scheduler = UNet2DModel(**architecture), DDPMScheduler()
    average, images = copy.deepcopy(network).eval(), images * 2 - 1

    def loss(chosen: Tensor, noise: Noise) -> Tensor:
        levels = noise.child("level").words_like(chosen) % LEVELS
        return _denoising_error(network, scheduler, images[chosen], levels, noise)

    for step in descend(network, loss, recipe, len(images)):
        _follow(average, network, min(AVERAGE_DECAY, (step + 1) / (step + 10)))
        if watch is not None:
            watch(step + 1, average, scheduler)
    return average, scheduler


def descend(network: nn.Module, loss: Callable[[Tensor, Noise], Tensor], recipe: Recipe, images: int) -> Iterator[int]:
    """Take the recipe's steps of AdamW under a one-cycle rate, yielding after each."""
    optimiser = torch.optim.AdamW(network.parameters(), recipe.peak_rate, weight_decay=recipe.weight_decay)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.peak_rate, total_steps=recipe.steps, pct_start=0.1)
    places = torch.zeros(recipe.batch)
    network.train()
    for step in range(recipe.steps):
        noise = Noise(recipe.seed, tuple(range(recipe.batch)), ("train", step))
        optimiser.zero_grad()
        loss(noise.child("images").words_like(places) % images, noise).backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        rate.step()
        yield step


@torch.no_grad()
def held_out_errors(network: nn.Module, scheduler: Any, test: Batch) -> dict[str, float]:
    """Return the mean squared error of the predicted noise by noise level; predicting none scores 1."""
    noise, levels = Noise(0, test.image_ids, ("held out",)), (20, 50, 100, 200)
    errors = {}
    for level in levels:
        level_of_each = torch.full((len(test),), level)
        error = _denoising_error(network, scheduler, test.images * 2 - 1, level_of_each, noise)
        errors[f"held_out_error_{level}"] = error.item()
    return errors


def _denoising_error(network: nn.Module, scheduler: Any, clean: Tensor, levels: Tensor, noise: Noise) -> Tensor:
    normal = noise.child("normal").normal_like(clean)
    noisy = scheduler.add_noise(clean, normal, levels)
    return mse_loss(network(noisy, levels).sample, normal)


@torch.no_grad()
def _follow(average: nn.Module, network: nn.Module, decay: float) -> None:
    for slow, fast in zip(average.parameters(), network.parameters(), strict=True):
        slow.lerp_(fast, 1 - decay)
