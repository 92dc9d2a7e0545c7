"""The noise schedule that all published networks here were trained or are asked on: linear, of 1000 levels."""

import math

import torch
from torch import Tensor

LEVELS = 1000
_LOW, _HIGH = 0.1, 20.0
"""Rates of the VP-SDE at both ends of unit time; the discrete betas are a thousandth of them (Ho et al. 2020)."""


def linear_alpha_bars() -> Tensor:
    """Return the signal level after each time index, in float64."""
    return torch.cumprod(1 - torch.linspace(_LOW / LEVELS, _HIGH / LEVELS, LEVELS, dtype=torch.float64), 0)


def signal(time: float | Tensor) -> float:
    """Return the signal level at a whole time index, or where the VP-SDE is at one that is no whole number.

    What tells them apart is their type: an index that became a tensor of whole numbers is still a level's.

    Examples
    --------
    >>> f"{signal(99):.4f} {signal(99.9):.4f}"
    '0.8970 0.8963'
    """
    if isinstance(time, int) or (isinstance(time, Tensor) and not time.is_floating_point()):
        return linear_alpha_bars()[int(time)].item()
    unit = float(time) / (LEVELS - 1)
    return math.exp(-unit * _LOW - unit**2 * (_HIGH - _LOW) / 2)
