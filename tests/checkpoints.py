"""Small diffusers checkpoints that tests make and save themselves."""

from pathlib import Path

import torch
from diffusers import DDPMPipeline, DDPMScheduler, UNet2DModel

from purigeom.networks.unet import UNet

SMALL = {
    "sample_size": 8,
    "in_channels": 1,
    "out_channels": 1,
    "layers_per_block": 1,
    "block_out_channels": (8, 8),
    "down_block_types": ("DownBlock2D", "AttnDownBlock2D"),
    "up_block_types": ("AttnUpBlock2D", "UpBlock2D"),
    "attention_head_dim": 4,
    "norm_num_groups": 4,
}


def module(**changes) -> UNet2DModel:
    """Return a small random network with attention."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return UNet2DModel(**{**SMALL, **changes})


def saved(folder: Path, schedule: dict | None = None, **changes) -> UNet:
    """Save a small pipeline and return its name."""
    DDPMPipeline(module(**changes), DDPMScheduler(**(schedule or {}))).save_pretrained(folder)
    return UNet(str(folder))
