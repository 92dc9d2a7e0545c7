"""The blocks of a diffusion network: how many, how wide, where attention is, and in which of two styles."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

Place: TypeAlias = Literal["encoder", "middle", "decoder"]
Resampling: TypeAlias = Literal["up", "down"]


@dataclass(frozen=True)
class Architecture:
    """The sizes of a network.

    Parameters
    ----------
    size, channels
        Rows, and columns, of an image, and its channels.
    outputs
        Channels of the answer: as many as the image has, or twice as many where variances are learnt too.
    width, multipliers
        Channels of the first layer, and of each level as a multiple of them; every level halves the image.
    blocks
        Residual blocks of a level; on the way up there is one more.
    attention
        Sizes of states that attend to themselves.
    head
        Channels of one head of attention; one head of all channels unless given.
    """

    size: int
    width: int
    multipliers: tuple[int, ...]
    blocks: int
    attention: tuple[int, ...]
    channels: int = 3
    outputs: int = 3
    head: int | None = None


@dataclass(frozen=True)
class Style:
    """What the networks of one family have in common at every size.

    Parameters
    ----------
    group, epsilon
        Fewest channels that are normalised together, and what is added to their variance.
    scales
        Whether time scales the state as well as shifting it.
    gain
        Factor of every sum of a branch and its shortcut.
    projects_resampled
        Whether the shortcut of a block that resamples is a convolution even where the channels stay.
    attends_always
        Whether all blocks on the way up attend, or only the last of each level.
    sines_first
        Whether sines of time precede cosines and the lowest frequency is 1/10000; otherwise neither.
    """

    group: int
    epsilon: float
    scales: bool
    gain: float
    projects_resampled: bool
    attends_always: bool
    sines_first: bool


SONG = Style(
    group=4,
    epsilon=1e-6,
    scales=False,
    gain=0.5**0.5,
    projects_resampled=True,
    attends_always=False,
    sines_first=True,
)
"""DDPM++ (Song et al. 2021)."""
DHARIWAL = Style(
    group=1,
    epsilon=1e-5,
    scales=True,
    gain=1.0,
    projects_resampled=False,
    attends_always=True,
    sines_first=False,
)
"""ADM (Dhariwal and Nichol 2021)."""


@dataclass(frozen=True)
class Stage:
    """A residual block, and perhaps attention after it: its place, the size of its answer, and its channels.

    `inputs` counts what joins from the encoder, where `joins` says that something does.
    """

    place: Place
    size: int
    inputs: int
    outputs: int
    resampling: Resampling | None = None
    attends: bool = False
    joins: bool = False


def stages(architecture: Architecture, style: Style) -> list[Stage]:
    """Return the blocks in the order in which a state passes them."""
    encoder = list(_encoder(architecture))
    deepest = encoder[-1]
    size, width = deepest.size, deepest.outputs
    middle = [Stage("middle", size, width, width, attends=attends) for attends in (True, False)]
    joining = [architecture.width, *(stage.outputs for stage in encoder)]
    return [*encoder, *middle, *_decoder(architecture, style, joining)]


def _encoder(architecture: Architecture) -> Iterator[Stage]:
    width = architecture.width
    for level, multiplier in enumerate(architecture.multipliers):
        size = architecture.size >> level
        if level:
            yield Stage("encoder", size, width, width, "down")
        for _ in range(architecture.blocks):
            outputs = architecture.width * multiplier
            yield Stage("encoder", size, width, outputs, attends=size in architecture.attention)
            width = outputs


def _decoder(architecture: Architecture, style: Style, joining: list[int]) -> Iterator[Stage]:
    width, last = joining[-1], len(architecture.multipliers) - 1
    for level in range(last, -1, -1):
        size, outputs = architecture.size >> level, architecture.width * architecture.multipliers[level]
        if level < last:
            yield Stage("decoder", size, width, width, "up")
        for block in range(architecture.blocks + 1):
            attends = size in architecture.attention and (style.attends_always or block == architecture.blocks)
            yield Stage("decoder", size, width + joining.pop(), outputs, attends=attends, joins=True)
            width = outputs
