"""The parts of a vision transformer: patches, where they are, and blocks of attention, all in plain operations."""

import math

import torch
from torch import Tensor, nn

from purigeom.networks.attention import attended


def patches(images: Tensor, patch: int) -> Tensor:
    """Return images of shape (image, channel, row, column) as patches, (image, place, number), row by row."""
    cut = images.unflatten(3, (-1, patch)).unflatten(2, (-1, patch))
    return cut.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)


def images_of(pieces: Tensor, channels: int, patch: int) -> Tensor:
    """Return the square images that patches were cut from."""
    side = math.isqrt(pieces.shape[1])
    cut = pieces.unflatten(2, (channels, patch, patch)).unflatten(1, (side, side))
    return cut.permute(0, 3, 1, 4, 2, 5).flatten(4).flatten(2, 3)


def positions(side: int, width: int) -> Tensor:
    """Return a code of every place on a square grid, (place, width): sines and cosines of its row and its column."""
    frequencies = 10_000 ** -(torch.arange(width // 4) / (width // 4))
    angles = torch.arange(side)[:, None] * frequencies
    code = torch.cat([angles.sin(), angles.cos()], 1)
    return torch.cat([code.repeat_interleave(side, 0), code.repeat(side, 1)], 1)


class Block(nn.Module):
    """Attention among tokens, then a function of each, both added to what comes in and normalised before."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.queries, self.mixed = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.each = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the tokens, (image, place, width), after one block."""
        tokens = tokens + self._attended(self.before(tokens))
        changed: Tensor = self.each(self.between(tokens))
        return tokens + changed

    def _attended(self, tokens: Tensor) -> Tensor:
        parts = self.queries(tokens).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        query, key, value = parts.unbind(0)
        mean = attended(query, key, value, query.shape[-1] ** -0.5)
        mixed: Tensor = self.mixed(mean.transpose(1, 2).flatten(2))
        return mixed


def blocks(width: int, depth: int, heads: int) -> nn.Sequential:
    """Return blocks one after another, and the normalisation that ends them."""
    if width % 4 or width % heads:
        msg = f"A transformer's width must be a multiple of 4 and of its heads; got width {width} and {heads} heads."
        raise ValueError(msg)
    return nn.Sequential(*(Block(width, heads) for _ in range(depth)), nn.LayerNorm(width))
