"""Structure invariant transformations (Wang et al. 2023): every block of an image goes through an operator of its own.

Departures from the published code: cuts, operators and their numbers differ from image to image and belong to its id,
where there one draw serves the whole batch; the low-pass leaves a block alone that is too small to lose a
frequency, where there `[-0:]` blanks it.
"""

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from purigeom.attacks.blocks import Blocks, block_by_block, resizing, smoothing
from purigeom.noise import Noise

OperatorName: TypeAlias = Literal[
    "vertical shift",
    "horizontal shift",
    "vertical flip",
    "horizontal flip",
    "rotation",
    "scale",
    "noise",
    "resize",
    "low pass",
    "dropout",
]
SEVEN: tuple[OperatorName, ...] = (
    "vertical shift",
    "horizontal shift",
    "vertical flip",
    "horizontal flip",
    "rotation",
    "scale",
    "noise",
)
TEN: tuple[OperatorName, ...] = (*SEVEN, "resize", "low pass", "dropout")

NOISE_RADIUS = 16 / 255
DROPPED = 0.1


def transformed(images: Tensor, operators: tuple[OperatorName, ...], blocks: int, noise: Noise) -> Tensor:
    """Return images whose blocks, so many along each side, each went through one of the operators; differentiable."""
    laid = Blocks.drawn(noise.child("cuts"), images, blocks)
    chosen = laid.of_pixels(noise.child("operator").words_like(laid.template(images))) % len(operators)
    result = images
    for place, name in enumerate(operators):
        result = torch.where((chosen == place).unsqueeze(1), OPERATORS[name](images, laid, noise.child(name)), result)
    return result


def vertical_shift(images: Tensor, blocks: Blocks, noise: Noise) -> Tensor:
    """Roll every block down by some of its rows."""
    down = blocks.of_pixels(noise.words_like(blocks.template(images)))
    first, size, place = (part.unsqueeze(2) for part in (blocks.rows.first, blocks.rows.size, blocks.rows.place))
    return blocks.taken(images, rows=first + (place - first - down) % size)


def horizontal_shift(images: Tensor, blocks: Blocks, noise: Noise) -> Tensor:
    """Roll every block to the right by some of its columns."""
    right = blocks.of_pixels(noise.words_like(blocks.template(images)))
    columns = blocks.columns
    first, size, place = (part.unsqueeze(1) for part in (columns.first, columns.size, columns.place))
    return blocks.taken(images, columns=first + (place - first - right) % size)


def vertical_flip(images: Tensor, blocks: Blocks, noise: Noise) -> Tensor:
    """Turn every block upside down."""
    del noise
    return blocks.taken(images, rows=blocks.rows.mirrored.unsqueeze(2))


def horizontal_flip(images: Tensor, blocks: Blocks, noise: Noise) -> Tensor:
    """Exchange left and right in every block."""
    del noise
    return blocks.taken(images, columns=blocks.columns.mirrored.unsqueeze(1))


def rotation(images: Tensor, blocks: Blocks, noise: Noise) -> Tensor:
    """Turn every block by 180 degrees."""
    del noise
    return blocks.taken(images, blocks.rows.mirrored.unsqueeze(2), blocks.columns.mirrored.unsqueeze(1))


def scale(images: Tensor, blocks: Blocks, noise: Noise) -> Tensor:
    """Multiply every block by a factor between zero and one."""
    factor = (noise.uniform_like(blocks.template(images)) + 1) / 2
    return images * blocks.of_pixels(factor).unsqueeze(1)


def add_noise(images: Tensor, blocks: Blocks, noise: Noise) -> Tensor:
    """Move every pixel by up to 16 / 255, whatever the radius of the attack, and clip."""
    del blocks
    return (images + NOISE_RADIUS * noise.uniform_like(images)).clamp(0, 1)


def resize(images: Tensor, blocks: Blocks, noise: Noise) -> Tensor:
    """Resize every block to four fifths (rounded down) plus one pixel and back, bilinearly."""
    del noise
    return block_by_block(images, blocks, resizing)


def low_pass(images: Tensor, blocks: Blocks, noise: Noise) -> Tensor:
    """Leave out the highest two fifths (rounded down) of every block's frequencies along rows and along columns."""
    del noise
    return block_by_block(images, blocks, smoothing)


def dropout(images: Tensor, blocks: Blocks, noise: Noise) -> Tensor:
    """Blank every tenth channel of blocks, and brighten the others to keep the mean."""
    channels = images.shape[1]
    kept = [
        blocks.of_pixels(noise.child(channel).uniform_like(blocks.template(images))) >= 2 * DROPPED - 1
        for channel in range(channels)
    ]
    return images * torch.stack(kept, 1) / (1 - DROPPED)


Operator: TypeAlias = Callable[[Tensor, Blocks, Noise], Tensor]
OPERATORS: Mapping[OperatorName, Operator] = {
    "vertical shift": vertical_shift,
    "horizontal shift": horizontal_shift,
    "vertical flip": vertical_flip,
    "horizontal flip": horizontal_flip,
    "rotation": rotation,
    "scale": scale,
    "noise": add_noise,
    "resize": resize,
    "low pass": low_pass,
    "dropout": dropout,
}
