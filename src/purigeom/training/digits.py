"""Train the digits denoiser and classifier that purigeom ships: seeded, on a CPU, in minutes."""

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss

from purigeom.images import Digits
from purigeom.networks.classifier import convolutions
from purigeom.noise import Noise


@dataclass(frozen=True)
class Recipe:
    """How long and how fast to train; everything else is in the code below."""

    steps: int
    peak_rate: float
    batch: int = 64
    weight_decay: float = 0.01
    seed: int = 0


DENOISER = Recipe(steps=6000, peak_rate=2e-3)
CLASSIFIER = Recipe(steps=1500, peak_rate=3e-3)
LEVELS = 400
"""Only the lower noise levels are trained, of 1000: purification stays below them."""
AVERAGE_DECAY = 0.999
_ARCHITECTURE = {"channels": 1, "classes": 10, "width": 32, "size": 8}
_UNET = {
    "sample_size": 8,
    "in_channels": 1,
    "out_channels": 1,
    "layers_per_block": 1,
    "block_out_channels": (32, 64),
    "down_block_types": ("DownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "UpBlock2D"),
    "add_attention": False,
    "norm_num_groups": 8,
    "dropout": 0.2,
}


def train_denoiser(target: Path, recipe: Recipe = DENOISER) -> dict[str, float]:
    """Train a noise predictor, save it as a DDPM folder and return its held-out error by noise level."""
    from diffusers import DDPMScheduler, UNet2DModel

    torch.manual_seed(recipe.seed)  # initial weights and dropout; only training uses torch's own generator
    network, scheduler = UNet2DModel(**_UNET), DDPMScheduler()
    average = copy.deepcopy(network).eval()
    images = Digits("train").load().images * 2 - 1

    def loss(chosen: Tensor, noise: Noise) -> Tensor:
        levels = noise.child("level").words_like(chosen) % LEVELS
        return _denoising_error(network, scheduler, images[chosen], levels, noise)

    for step in _descend(network, loss, recipe, len(images)):
        decay = min(AVERAGE_DECAY, (step + 1) / (step + 10))
        _follow(average, network, decay)
    average.save_pretrained(target / "unet")
    scheduler.save_pretrained(target / "scheduler")
    return _held_out_errors(average, scheduler)


def train_classifier(target: Path, recipe: Recipe = CLASSIFIER) -> dict[str, float]:
    """Train a classifier on lightly noised digits, save it and return its held-out accuracy."""
    torch.manual_seed(recipe.seed)
    network = convolutions(**_ARCHITECTURE)
    train, test = Digits("train").load(), Digits("test").load()
    labels = torch.as_tensor(train.labels)

    def loss(chosen: Tensor, noise: Noise) -> Tensor:
        noisy = train.images[chosen] + 0.05 * noise.normal_like(train.images[chosen])
        return cross_entropy(network(noisy), labels[chosen])

    for _ in _descend(network, loss, recipe, len(train)):
        pass
    target.mkdir(parents=True, exist_ok=True)
    save_file(network.state_dict(), target / "model.safetensors")
    (target / "config.json").write_text(json.dumps(_ARCHITECTURE, indent=2) + "\n")
    with torch.no_grad():
        right = network.eval()(test.images).argmax(1) == test.labels
    return {"held_out_accuracy": right.float().mean().item()}


def _descend(network: nn.Module, loss: Callable[[Tensor, Noise], Tensor], recipe: Recipe, images: int) -> Iterator[int]:
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


def _denoising_error(network: nn.Module, scheduler: Any, clean: Tensor, levels: Tensor, noise: Noise) -> Tensor:
    normal = noise.child("normal").normal_like(clean)
    noisy = scheduler.add_noise(clean, normal, levels)
    return mse_loss(network(noisy, levels).sample, normal)


@torch.no_grad()
def _follow(average: nn.Module, network: nn.Module, decay: float) -> None:
    for slow, fast in zip(average.parameters(), network.parameters(), strict=True):
        slow.lerp_(fast, 1 - decay)


@torch.no_grad()
def _held_out_errors(network: nn.Module, scheduler: Any) -> dict[str, float]:
    test = Digits("test").load()
    noise, levels = Noise(0, test.image_ids, ("held out",)), (20, 50, 100, 200)
    errors = {}
    for level in levels:
        level_of_each = torch.full((len(test),), level)
        error = _denoising_error(network, scheduler, test.images * 2 - 1, level_of_each, noise)
        errors[f"held_out_error_{level}"] = error.item()
    return errors
