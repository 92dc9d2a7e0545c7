"""Pixel deflection: a few pixels trade places with neighbours, and wavelets smooth what that leaves."""

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

import torch
from torch import Tensor

from purigeom.geometry.chain import Chain, as_chain
from purigeom.noise import Noise
from purigeom.protocols import Declaration, RandomMap, declaration
from purigeom.purifiers.wavelet import WaveletShrinkage
from purigeom.settings import check_choices, check_counts

Channels: TypeAlias = Literal["together", "apart"]

PUBLISHED_DENOISER = WaveletShrinkage(sigma=0.04)


@dataclass(frozen=True)
class PixelDeflection:
    """Replace random pixels, one after another, by random pixels of their window, then denoise (Prakash et al. 2018).

    Two departures from the original: there is no class-activation map, so that all pixels are equally likely; and
    wavelets shrink every channel alone, not its YCbCr planes. Positions are drawn when the map is pinned: it is linear
    up to the denoiser.

    Parameters
    ----------
    deflections
        How many times a pixel is replaced; published are 200, for 299 x 299 pixels.
    window
        How many rows and columns away the new pixel may lie, inside the image.
    channels
        "together" moves whole pixels, as the paper writes; "apart" draws places for every channel, each of which counts
        as a deflection, as the published code does.
    denoiser
        What comes after; BayesShrink with soft thresholds unless given.
    """

    deflections: int = 200
    window: int = 10
    channels: Channels = "together"
    denoiser: RandomMap = PUBLISHED_DENOISER

    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        check_counts(self, "deflections", "window")
        check_choices(self, channels=Channels)

    @property
    def declaration(self) -> Declaration:
        """Return what the map promises: what its denoiser does, for moving pixels is linear."""
        said = declaration(self.denoiser)
        return Declaration("pixel deflection", said.network, said.differentiability, said.range)

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> Chain:
        rows, columns = image_shape[-2:]
        groups = 1 if self.channels == "together" else image_shape[0]
        count = -(-self.deflections // groups)

        def deflect(images: Tensor) -> Tensor:
            like = torch.zeros(len(images), 4, groups, count, device=images.device)
            row, down, column, right = noise.child("places").words_like(like).unbind(1)
            new_row, old_row = _moved(row, down, rows, self.window)
            new_column, old_column = _moved(column, right, columns, self.window)
            sources = _sources(new_row * columns + new_column, old_row * columns + old_column, rows * columns)
            return images.flatten(2).gather(2, sources.expand(*images.shape[:2], -1)).reshape(images.shape)

        return Chain((deflect, *as_chain(self.denoiser.pin(noise.child("denoiser"), image_shape)).steps))


def _moved(words: Tensor, others: Tensor, size: int, window: int) -> tuple[Tensor, Tensor]:
    """Return random places along a side, and one for each that is inside the image and in its window."""
    place = words % size
    first, last = (place - window).clamp(min=0), (place + window).clamp(max=size - 1)
    return place, first + others % (last - first + 1)


def _sources(new: Tensor, old: Tensor, pixels: int) -> Tensor:
    """Return where every pixel comes from after all replacements, each of which sees those before it."""
    sources = torch.arange(pixels, device=new.device).expand(*new.shape[:-1], -1)
    for to, come in zip(new.split(1, -1), old.split(1, -1), strict=True):
        sources = sources.scatter(-1, to, sources.gather(-1, come))
    return sources
