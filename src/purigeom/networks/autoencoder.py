"""A small convolutional autoencoder by the name of its checkpoint: a folder that says its architecture."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import torch
from torch import nn

from purigeom.networks.modules import loaded
from purigeom.networks.restorer import check_shape, content, fitted, settings


@dataclass(frozen=True)
class Autoencoder:
    """A map of images through a code with fewer numbers: a folder with config.json and weights."""

    checkpoint: str

    family: ClassVar[str] = "autoencoder"

    def content(self) -> str:
        return content(self)

    def config(self) -> dict[str, Any]:
        """Return the arguments of `autoencoder`."""
        return settings(self)

    def check(self, image_shape: tuple[int, ...]) -> None:
        check_shape(self, image_shape)

    def module(self, device: torch.device, dtype: torch.dtype) -> nn.Module:
        return loaded(_load, self, self.content(), device, dtype)


def autoencoder(channels: int, size: int, widths: Sequence[int], code: int) -> nn.Sequential:
    """Return the network for images of `size`: every width after the first halves them, `code` channels are kept."""
    if size % 2 ** (len(widths) - 1):
        msg = f"An autoencoder with {len(widths)} widths halves images {len(widths) - 1} times; got size {size}."
        raise ValueError(msg)
    layers: list[nn.Module] = [nn.Conv2d(channels, widths[0], 3, padding=1), nn.SiLU()]
    for before, after in pairwise(widths):
        layers += [nn.Conv2d(before, after, 3, padding=1, stride=2), nn.SiLU()]
        layers += [nn.Conv2d(after, after, 3, padding=1), nn.SiLU()]
    layers += [nn.Conv2d(widths[-1], code, 3, padding=1), nn.Conv2d(code, widths[-1], 3, padding=1), nn.SiLU()]
    for after, before in pairwise(widths[::-1]):
        layers += [nn.Upsample(scale_factor=2), nn.Conv2d(after, before, 3, padding=1), nn.SiLU()]
        layers += [nn.Conv2d(before, before, 3, padding=1), nn.SiLU()]
    return nn.Sequential(*layers, nn.Conv2d(widths[0], channels, 3, padding=1))


def _load(who: Autoencoder) -> nn.Module:
    return fitted(autoencoder, who)
