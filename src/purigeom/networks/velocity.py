"""A velocity that leads images from a source to clean ones: a UNet, told the time, by the name of its checkpoint."""

from dataclasses import dataclass

import torch
from torch import nn

from purigeom.networks.unet import UNet

INDICES = 1000
"""Time runs from 0, the source, to 1, clean images; the network is told this many times as much."""


@dataclass(frozen=True)
class Velocity:
    """A velocity: a diffusers folder of an unconditional `UNet2DModel`.

    Its module is called with states in [-1, 1] and `INDICES` times the time; its answer's `sample` is the velocity.
    """

    checkpoint: str

    def content(self) -> str:
        return self._network().content()

    def check(self, image_shape: tuple[int, ...]) -> None:
        self._network().check(image_shape)

    def module(self, device: torch.device, dtype: torch.dtype) -> nn.Module:
        return self._network().module(device, dtype)

    def _network(self) -> UNet:
        return UNet(self.checkpoint)
