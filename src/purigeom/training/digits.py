"""Train the digits denoiser and classifier that purigeom ships: seeded, on a CPU, in minutes."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.functional import cross_entropy

from purigeom.images import Digits
from purigeom.networks.classifier import convolutions
from purigeom.noise import Noise
from purigeom.training.denoiser import held_out_errors, noise_predictor, saved
from purigeom.training.recipe import Recipe, adam, descend

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
    return held_out_errors(saved(target, network, half=False), Digits("test").load())


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
    target.mkdir(parents=True, exist_ok=True)
    save_file(network.state_dict(), target / "model.safetensors")
    (target / "config.json").write_text(json.dumps(_ARCHITECTURE, indent=2) + "\n")
    with torch.no_grad():
        right = network.eval()(test.images).argmax(1) == test.labels
    return {"held_out_accuracy": right.float().mean().item()}
