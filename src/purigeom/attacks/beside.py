"""Chains that carry numbers beside their images, one row per image, so that a loss may depend on more than the end."""

from math import prod

import torch
from torch import Tensor

from purigeom.protocols import ImageMap


def in_front(rows: Tensor, shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Return the images that rows begin with, and what comes after them."""
    images, rest = rows.tensor_split([prod(shape)], 1)
    return images.unflatten(1, shape), rest


def row(*parts: Tensor) -> Tensor:
    """Return the parts of every image, one after another."""
    return torch.cat([part.flatten(1) for part in parts], 1)


def carried(step: ImageMap, shape: tuple[int, ...]) -> ImageMap:
    """Return the step on rows that begin with an image: the image moves on, what travels beside it stays."""

    def step_of_rows(rows: Tensor) -> Tensor:
        state, rest = in_front(rows, shape)
        return row(step(state), rest)

    return step_of_rows
