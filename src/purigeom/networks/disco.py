"""DISCO (Ho and Vasconcelos 2022): features of every pixel, and a function that reads an image off them anywhere."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise, product
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from purigeom.networks.folder_network import FolderNetwork


@dataclass(frozen=True)
class DISCO(FolderNetwork):
    """A local implicit function of an image's features, by the name of its checkpoint."""

    family: ClassVar[str] = "disco"

    def architecture(self) -> Callable[..., nn.Module]:
        return disco


def disco(
    channels: int, size: int, blocks: int = 16, width: int = 64, hidden: tuple[int, ...] = (256,) * 4
) -> "ImplicitImage":
    """Return the network: `blocks` residual blocks of `width` channels, and a function with `hidden` layers.

    The defaults are the published ones. It takes images of any size; `size` says which it was trained for.
    """
    del size
    if blocks < 1 or not hidden:
        msg = f"disco needs a block and a hidden layer at least; got {blocks} blocks and hidden layers {tuple(hidden)}."
        raise ValueError(msg)
    return ImplicitImage(features(channels, width, blocks), LocalFunction(width, tuple(hidden), channels))


class ImplicitImage(nn.Module):
    """Read an image off the features of another."""

    def __init__(self, encoder: nn.Module, function: "LocalFunction") -> None:
        super().__init__()
        self.encoder, self.function = encoder, function

    def forward(self, images: Tensor, places: tuple[Tensor, Tensor] | None = None, cell: float = 1.0) -> Tensor:
        """Return the colours at rows and columns, and between them: those of the pixels unless told.

        Parameters
        ----------
        images
            In [0, 1].
        places
            Which rows and which columns, in pixels and in float64: 0 is the centre of the first.
        cell
            The size of what is asked for, in pixels.
        """
        rows, columns = places or tuple(torch.arange(count, dtype=torch.float64) for count in images.shape[2:])
        answers: Tensor = self.function(self.encoder(2 * images - 1), rows, columns, cell)
        return answers / 2 + 0.5


class LocalFunction(nn.Module):
    """A function of the features around a place, the way to it and the size of what is asked for (Chen et al. 2021).

    Its first layer sees the 3x3 features around a pixel: a convolution, and a linear layer for the rest. Pixels weigh
    by the area opposite to them, as in the paper, with the border's pixels going on beyond it; published code takes
    areas to the pixels that are there, which mixes neighbours on the last row and column.
    """

    def __init__(self, width: int, hidden: tuple[int, ...], channels: int) -> None:
        super().__init__()
        self.around = nn.Conv2d(width, hidden[0], 3, padding=1)
        self.place = nn.Linear(4, hidden[0], bias=False)
        widths = pairwise((*hidden, channels))
        self.layers = nn.Sequential(*(layer for pair in widths for layer in (nn.ReLU(), nn.Conv2d(*pair, 1))))

    def forward(self, features: Tensor, rows: Tensor, columns: Tensor, cell: float) -> Tensor:
        """Return the mean over the four pixels around every place, each weighed by how near it is."""
        seen = self.around(features)
        near = product(_neighbours(rows, features.shape[2]), _neighbours(columns, features.shape[3]))
        answers = [self._weighed(seen, row, column, cell) for row, column in near if row.counts and column.counts]
        return torch.stack(answers).sum(0)

    def _weighed(self, seen: Tensor, row: "Neighbour", column: "Neighbour", cell: float) -> Tensor:
        ways = torch.meshgrid(row.way, column.way, indexing="ij")
        size = torch.full((2, *ways[0].shape), 2 * cell, dtype=row.way.dtype)
        told = self.place(torch.stack([*ways, *size], -1).to(seen)).permute(2, 0, 1)
        pixels = seen[:, :, row.pixel.to(seen.device)][..., column.pixel.to(seen.device)]
        weight = torch.outer(row.weight, column.weight).to(seen)
        answers: Tensor = self.layers(pixels + told)
        return weight * answers


class Neighbour(NamedTuple):
    """Along one side, the next pixel of every place on one hand: the way from it, two a pixel, and its weight."""

    pixel: Tensor
    way: Tensor
    weight: Tensor

    @property
    def counts(self) -> bool:
        """Return whether it weighs anything anywhere: on the pixel grid three neighbours of four do not."""
        return bool(self.weight.any())


def _neighbours(places: Tensor, count: int) -> Iterator[Neighbour]:
    """Yield the pixels before and after every place; beyond the border both are the last."""
    before = places.floor()
    for place, weight in ((before, 1 + before - places), (before + 1, places - before)):
        pixel = place.clamp(0, count - 1)
        yield Neighbour(pixel.long(), 2 * (places - pixel), weight)


def features(channels: int, width: int, blocks: int) -> nn.Module:
    """Return EDSR's features (Lim et al. 2017), without its enlargement: residual blocks without normalisation."""
    body = [Residual(_convolution(width), nn.ReLU(), _convolution(width)) for _ in range(blocks)]
    return nn.Sequential(nn.Conv2d(channels, width, 3, padding=1), Residual(*body, _convolution(width)))


class Residual(nn.Module):
    """Add what layers make of their input to it."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, values: Tensor) -> Tensor:
        """Return the values and what was added."""
        added: Tensor = self.layers(values)
        return values + added


def _convolution(width: int) -> nn.Conv2d:
    return nn.Conv2d(width, width, 3, padding=1)
