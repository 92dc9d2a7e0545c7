"""Steps along the signs of a network's gradient: what test-time defences are made of."""

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor
from torch.func import grad

Losses: TypeAlias = Callable[[Tensor], Tensor]
"""From images to one loss per image."""


def downhill(losses: Losses, images: Tensor) -> Tensor:
    """Return the signs of a step that lowers every image's loss.

    As a function of the images they are constant in pieces, so that no graph is kept.
    """
    with torch.no_grad():  # torch.func differentiates all the same
        return -grad(lambda asked: losses(asked).sum())(images.detach()).sign()
