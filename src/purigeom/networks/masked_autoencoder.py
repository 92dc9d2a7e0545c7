"""A masked autoencoder (He et al. 2022): a vision transformer that sees some patches and answers for all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from purigeom.networks.folder_network import FolderNetwork
from purigeom.networks.vision_transformer import blocks, images_of, patches, positions
from purigeom.noise import Noise


@dataclass(frozen=True)
class MaskedAutoencoder(FolderNetwork):
    """A transformer that returns whole images from some of their patches, by the name of its checkpoint."""

    family: ClassVar[str] = "masked autoencoder"

    def architecture(self) -> Callable[..., nn.Module]:
        return masked_autoencoder

    def module(self, device: torch.device, dtype: torch.dtype) -> "PatchTransformer":
        network = super().module(device, dtype)
        assert isinstance(network, PatchTransformer)
        return network


class Stack(NamedTuple):
    """So many blocks of attention."""

    width: int
    depth: int
    heads: int


def masked_autoencoder(
    channels: int, size: int, patch: int, encoder: Sequence[int], decoder: Sequence[int]
) -> "PatchTransformer":
    """Return the network for images of `size`; encoder and decoder are each a width, a depth and a number of heads."""
    if size % patch:
        msg = f"masked_autoencoder cuts images into whole patches; got size {size} and patches of {patch}."
        raise ValueError(msg)
    return PatchTransformer(channels, size // patch, patch, Stack(*encoder), Stack(*decoder))


class PatchTransformer(nn.Module):
    """Encode visible patches, and decode what was encoded together with one learnt token for every hidden patch."""

    where: Tensor
    where_decoded: Tensor

    def __init__(self, channels: int, side: int, patch: int, encoder: Stack, decoder: Stack) -> None:
        super().__init__()
        self.channels, self.patch, self.places = channels, patch, side**2
        self.embed = nn.Linear(channels * patch**2, encoder.width)
        self.encoder = blocks(*encoder)
        self.narrow = nn.Linear(encoder.width, decoder.width)
        self.hidden = nn.Parameter(0.02 * torch.randn(1, 1, decoder.width))
        self.decoder = blocks(*decoder)
        self.colour = nn.Linear(decoder.width, channels * patch**2)
        self.register_buffer("where", positions(side, encoder.width), persistent=False)
        self.register_buffer("where_decoded", positions(side, decoder.width), persistent=False)

    def forward(self, images: Tensor, visible: Tensor | None = None) -> Tensor:
        """Return whole images from the patches at some places of each, (image, kept); from all unless told."""
        return self.decode(self.encode(images, visible), visible)

    def encode(self, images: Tensor, visible: Tensor | None = None) -> Tensor:
        """Return a token for every visible patch, (image, kept, width)."""
        tokens: Tensor = self.embed(patches(2 * images - 1, self.patch)) + self.where
        if visible is not None:
            tokens = tokens.gather(1, _wide(visible, tokens))
        encoded: Tensor = self.encoder(tokens)
        return encoded

    def decode(self, tokens: Tensor, visible: Tensor | None = None) -> Tensor:
        """Return whole images from the tokens of visible patches."""
        tokens = self.narrow(tokens)
        if visible is not None:
            tokens = self._filled(tokens, visible)
        pieces = self.colour(self.decoder(tokens + self.where_decoded)) / 2 + 0.5
        return images_of(pieces, self.channels, self.patch)

    def _filled(self, tokens: Tensor, visible: Tensor) -> Tensor:
        """Return tokens at their places, and the learnt one at all others."""
        images, kept = visible.shape
        known = torch.cat([self.hidden.to(tokens).expand(images, 1, -1), tokens], 1)
        order = torch.arange(1, kept + 1, device=visible.device).expand(images, kept)
        nowhere = torch.zeros(images, self.places, dtype=torch.int64, device=visible.device)
        return known.gather(1, _wide(nowhere.scatter(1, visible, order), tokens))

    def drawn(self, noise: Noise, images: Tensor, ratio: float) -> Tensor | None:
        """Return which places stay visible where a share of them, in whole patches, is hidden; None where all do."""
        kept = max(1, round((1 - ratio) * self.places))
        if kept == self.places:
            return None
        words = noise.words_like(torch.zeros(len(images), self.places, device=images.device))
        return words.argsort(dim=1)[:, :kept]


def _wide(places: Tensor, tokens: Tensor) -> Tensor:
    return places[..., None].expand(-1, -1, tokens.shape[-1])
