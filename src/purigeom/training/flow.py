"""Train a velocity by conditional flow matching (Lipman et al. 2023) on pairs: attacked or noised, and clean."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from purigeom.networks.velocity import INDICES
from purigeom.noise import Noise
from purigeom.training.descent import QUIETLY, Run
from purigeom.training.recipe import Recipe, adam, descend, digested
from purigeom.training.restorer import Pairs

Origin: TypeAlias = Literal["attacked", "noised"]
AVERAGE_DECAY = 0.995


@dataclass(frozen=True)
class Source:
    """Where paths to clean images begin.

    Parameters
    ----------
    origin
        - attacked: at what an attack made of the image, moved by a share of the way that is uniform in [0, 1].
        - noised: at the image under normal noise.
    sigma
        The deviation of that noise, for pixels in [0, 1].
    """

    origin: Origin = "attacked"
    sigma: float = 0.25

    def __post_init__(self) -> None:
        if self.origin not in get_args(Origin):
            msg = f"Source.origin must be one of {get_args(Origin)}; got {self.origin!r}."
            raise ValueError(msg)
        if not self.sigma > 0:
            msg = f"Source.sigma must be positive; got {self.sigma!r}."
            raise ValueError(msg)

    def __call__(self, clean: Tensor, attacked: Tensor, noise: Noise) -> Tensor:
        """Return where the paths to these images begin."""
        if self.origin == "noised":
            return clean + self.sigma * noise.child("normal").normal_like(clean)
        return clean + _uniform(clean, noise.child("share")) * (attacked - clean)


def flow(
    pairs: Pairs, architecture: Mapping[str, Any], recipe: Recipe, source: Source, run: Run = QUIETLY
) -> nn.Module:
    """Train diffusers' `UNet2DModel` on pairs of images in [0, 1]; return its average over the last steps."""
    from diffusers import UNet2DModel

    torch.manual_seed(recipe.seed)  # initial weights and dropout; only training uses torch's own generator
    network = run.hardware.settle(UNet2DModel(**architecture))
    called = run.hardware.called(network)

    def loss(chosen: Tensor, noise: Noise) -> Tensor:
        clean, attacked = (run.hardware.place(images[chosen]) for images in (pairs.clean, pairs.attacked))
        with run.hardware.precision():
            return matching_error(called, 2 * source(clean, attacked, noise) - 1, 2 * clean - 1, noise)

    about = f"{source} {dict(architecture)} {digested(pairs.clean, pairs.attacked)}"
    training = adam(network, recipe, AVERAGE_DECAY, about=about)
    return descend(training, loss, recipe, len(pairs.clean), run)


def matching_error(network: Any, source: Tensor, clean: Tensor, noise: Noise) -> Tensor:
    """Return the mean squared error of the velocity on straight paths, each at a time of its own."""
    time = _uniform(clean, noise.child("time"))
    between = (1 - time) * source + time * clean
    return mse_loss(network(between, INDICES * time.flatten()).sample.float(), clean - source)


def velocity_saved(target: Path, network: nn.Module) -> None:
    """Save a velocity as the folder that `Velocity` loads, of half floats."""
    stored: Any = copy.deepcopy(network).cpu().half()
    stored.save_pretrained(target)


def _uniform(images: Tensor, noise: Noise) -> Tensor:
    """Return a number in [0, 1] for every image."""
    return (1 + noise.uniform_like(images[:, :1, :1, :1])) / 2
