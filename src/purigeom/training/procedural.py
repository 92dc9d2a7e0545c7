"""Train the denoiser of procedural images that purigeom ships: seeded, on one thread of a CPU, in half an hour."""

from collections.abc import Callable
from pathlib import Path

from torch import nn

from purigeom.procedural import Procedural
from purigeom.training.denoiser import denoiser_saved, held_out_errors, noise_predictor
from purigeom.training.descent import Run
from purigeom.training.recipe import Recipe

DENOISER = Recipe(steps=6000, peak_rate=2e-3)
TRAIN = Procedural(count=40_000, split="train")
TEST = Procedural(count=512, split="test")
SAVE_EVERY, SAY_EVERY = 1000, 200
"""Steps between two savings, and between two sayings, of the network so far."""
_UNET = {
    "sample_size": 16,
    "in_channels": 3,
    "out_channels": 3,
    "layers_per_block": 1,
    "block_out_channels": (32, 64),
    "down_block_types": ("DownBlock2D", "AttnDownBlock2D"),
    "up_block_types": ("AttnUpBlock2D", "UpBlock2D"),
    "attention_head_dim": 16,
    "norm_num_groups": 8,
}


def train_denoiser(
    target: Path,
    recipe: Recipe = DENOISER,
    images: Procedural = TRAIN,
    say: Callable[[dict[str, float]], None] | None = None,
) -> dict[str, float]:
    """Train a noise predictor, save it as a DDPM folder of half floats and return its held-out error by noise level.

    The network so far is saved every thousand steps; `say`, if given, hears of its held-out errors every
    two hundred.
    """
    few, many = TEST[:64].load(), TEST.load()

    def watch(step: int, _: float, network: nn.Module) -> None:
        if step % SAVE_EVERY == 0:
            denoiser_saved(target, network)
        if say is not None and step % SAY_EVERY == 0:
            say({"step": step, **held_out_errors(network, few)})

    network = noise_predictor(images.load().images, _UNET, recipe, Run(watch=watch))
    return held_out_errors(denoiser_saved(target, network), many)
