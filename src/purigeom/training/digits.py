"""Train the digits denoiser and classifier that purigeom ships: seeded, on a CPU, in minutes."""

from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from purigeom.images import Digits
from purigeom.networks.classifier import ConvNet
from purigeom.networks.plain import convolutions
from purigeom.noise import Noise
from purigeom.training.classifier import accuracy
from purigeom.training.denoiser import denoiser_saved, held_out_errors, noise_predictor
from purigeom.training.recipe import Recipe, adam, descend
from purigeom.training.saving import saved

DENOISER = Recipe(steps=6000, peak_rate=2e-3)
CLASSIFIER = Recipe(steps=1500, peak_rate=3e-3)
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
    network = noise_predictor(Digits("train").load().images, _UNET, recipe)
    return held_out_errors(denoiser_saved(target, network, half=False), Digits("test").load())


def train_classifier(target: Path, recipe: Recipe = CLASSIFIER) -> dict[str, float]:
    """Train a classifier on lightly noised digits, save it and return its held-out accuracy."""
    torch.manual_seed(recipe.seed)
    network = convolutions(**_ARCHITECTURE)
    train, test = Digits("train").load(), Digits("test").load()
    labels = torch.as_tensor(train.labels)

    def loss(chosen: Tensor, noise: Noise) -> Tensor:
        noisy = train.images[chosen] + 0.05 * noise.normal_like(train.images[chosen])
        return cross_entropy(network(noisy), labels[chosen])

    descend(adam(network, recipe), loss, recipe, len(train))
    saved(target, network, _ARCHITECTURE, half=False)
    return {"held_out_accuracy": accuracy(ConvNet(str(target)), test)}
