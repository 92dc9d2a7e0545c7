"""Train a noise predictor on images: seeded, stopped and gone on with at will."""

import copy
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from purigeom.noise import Noise
from purigeom.protocols import Batch
from purigeom.training.descent import QUIETLY, Run
from purigeom.training.recipe import Recipe, adam, descend

AVERAGE_DECAY = 0.999


def noise_predictor(images: Tensor, architecture: Mapping[str, Any], recipe: Recipe, run: Run = QUIETLY) -> nn.Module:
    """Train an unconditional UNet on images in [0, 1] of shape (image, channel, row, column).

    The architecture is the arguments of diffusers' `UNet2DModel`. Returns its average over the last steps.
    """
    from diffusers import UNet2DModel

    torch.manual_seed(recipe.seed)  # initial weights and dropout; only training uses torch's own generator
    network = run.hardware.settle(UNet2DModel(**architecture))
    called = run.hardware.called(network)

    def loss(chosen: Tensor, noise: Noise) -> Tensor:
        levels = run.hardware.place(noise.child("level").words_like(chosen) % recipe.levels)
        clean = run.hardware.place(images[chosen] * 2 - 1)
        with run.hardware.precision():
            return _denoising_error(called, clean, levels, noise)

    return descend(adam(network, recipe, AVERAGE_DECAY), loss, recipe, len(images), run)


def denoiser_saved(target: Path, network: nn.Module, *, half: bool = True) -> nn.Module:
    """Save a network as a DDPM folder, as half floats or floats, and return what loading it gives."""
    stored: Any = copy.deepcopy(network).cpu()
    stored = stored.half() if half else stored
    stored.save_pretrained(target / "unet")
    _scheduler().save_pretrained(target / "scheduler")
    loaded: nn.Module = stored.float()
    return loaded


@torch.no_grad()
def held_out_errors(network: nn.Module, test: Batch) -> dict[str, float]:
    """Return the mean squared error of the predicted noise by noise level; predicting none scores 1."""
    noise, levels = Noise(0, test.image_ids, ("held out",)), (20, 50, 100, 200)
    errors = {}
    for level in levels:
        level_of_each = torch.full((len(test),), level)
        error = _denoising_error(network, test.images * 2 - 1, level_of_each, noise)
        errors[f"held_out_error_{level}"] = error.item()
    return errors


def _denoising_error(network: nn.Module, clean: Tensor, levels: Tensor, noise: Noise) -> Tensor:
    normal = noise.child("normal").normal_like(clean)
    noisy = _scheduler().add_noise(clean, normal, levels)
    return mse_loss(network(noisy, levels).sample.float(), normal)


@cache
def _scheduler() -> Any:
    """Return DDPM's linear schedule, which all our networks are trained on."""
    from diffusers import DDPMScheduler

    return DDPMScheduler()
