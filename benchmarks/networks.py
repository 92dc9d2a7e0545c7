"""Noise predictors with random weights: what they compute costs as much as what trained ones do."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any

import torch

from purigeom.networks.unet import UNet

CIFAR: Mapping[str, Any] = {
    "sample_size": 32,
    "in_channels": 3,
    "out_channels": 3,
    "layers_per_block": 2,
    "block_out_channels": (128, 256, 256, 256),
    "down_block_types": ("DownBlock2D", "AttnDownBlock2D", "DownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "UpBlock2D", "AttnUpBlock2D", "UpBlock2D"),
    "attention_head_dim": None,
    "downsample_padding": 0,
    "flip_sin_to_cos": False,
    "freq_shift": 1,
    "norm_eps": 1e-6,
}
"""google/ddpm-cifar10-32."""

LEAN: Mapping[str, Any] = {
    "sample_size": 32,
    "in_channels": 3,
    "out_channels": 3,
    "layers_per_block": 1,
    "block_out_channels": (32, 64),
    "down_block_types": ("DownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "UpBlock2D"),
    "add_attention": False,
    "norm_num_groups": 8,
}
"""The shipped digits network for 3x32x32: the leaner, the more everything but the network weighs."""

SMALL: Mapping[str, Any] = {**LEAN, "block_out_channels": (64, 128)}
"""Twice as wide: one step's graph is large beside a hundred stored states, as it is in every published network."""


@contextmanager
def random_network(architecture: Mapping[str, Any]) -> Iterator[UNet]:
    """Yield an untrained network, saved as the diffusers folder that any checkpoint is."""
    from diffusers import UNet2DModel

    with TemporaryDirectory() as folder:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            UNet2DModel(**architecture).save_pretrained(folder)
        yield UNet(folder)


def described(network: UNet) -> str:
    """Return what a network is, in words."""
    config = network.config()
    module = network.module(torch.device("cpu"), torch.float32)
    parameters = sum(parameter.numel() for parameter in module.parameters())
    size = f"{config['in_channels']}x{config['sample_size']}x{config['sample_size']}"
    blocks = f"blocks {tuple(config['block_out_channels'])}, {config['layers_per_block']} layers each"
    return f"UNet2DModel of {parameters / 1e6:.2f} M random weights ({blocks}) on {size}"
