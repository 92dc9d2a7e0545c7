"""An energy of images (Hill et al. 2021): convolutions down to one number, low where images are likely."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias, get_args

from torch import nn

from purigeom.networks.folder_network import FolderNetwork

Activation: TypeAlias = Literal["leaky relu", "silu"]
_LEAK = 0.05


@dataclass(frozen=True)
class EnergyNetwork(FolderNetwork):
    """An energy by the name of its checkpoint: from images in [-1, 1] to one number each."""

    def architecture(self) -> Callable[..., nn.Module]:
        return energy


def energy(channels: int, size: int, widths: Sequence[int], activation: Activation = "leaky relu") -> nn.Sequential:
    """Return the network for images of `size`: every width after the first halves them, one convolution sees the rest.

    Published are widths of 32, 64, 128 and 256 for a size of 32, and a leaky ReLU. With it the energy is linear in
    pieces, and its slope constant in them: its second derivatives are zero almost everywhere. "silu" is smooth.
    """
    left, odd = divmod(size, 2 ** (len(widths) - 1))
    if odd:
        msg = f"An energy with {len(widths)} widths halves images {len(widths) - 1} times; got size {size}."
        raise ValueError(msg)
    if activation not in get_args(Activation):
        msg = f"The activation of an energy must be one of {get_args(Activation)}; got {activation!r}."
        raise ValueError(msg)
    layers: list[nn.Module] = [nn.Conv2d(channels, widths[0], 3, padding=1), _bend(activation)]
    for before, after in pairwise(widths):
        layers += [nn.Conv2d(before, after, 4, padding=1, stride=2), _bend(activation)]
    return nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, left), nn.Flatten(0))


def _bend(activation: Activation) -> nn.Module:
    bends: Mapping[Activation, nn.Module] = {"leaky relu": nn.LeakyReLU(_LEAK), "silu": nn.SiLU()}
    return bends[activation]
