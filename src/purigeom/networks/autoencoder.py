"""A small convolutional autoencoder by the name of its checkpoint: a folder that says its architecture."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from torch import nn

from purigeom.networks.folder_network import FolderNetwork


@dataclass(frozen=True)
class Autoencoder(FolderNetwork):
    """A map of images through a code with fewer numbers: a folder with config.json and weights."""

    family: ClassVar[str] = "autoencoder"

    def architecture(self) -> Callable[..., nn.Module]:
        return autoencoder


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
