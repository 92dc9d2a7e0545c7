"""Adam (Kingma and Ba 2015) as a pure step on a state that carries its two moments."""

from dataclasses import dataclass

import torch
from torch import Tensor

_FIRST, _SECOND, _EPSILON = 0.9, 0.999, 1e-8


@dataclass(frozen=True)
class Adam:
    """One step of Adam; pixels whose second moment is zero get the subgradient zero.

    Parameters
    ----------
    rate
        How far a step goes, in [-1, 1].
    compounded
        Carry the corrected moments on, which corrects them again in every later step, as DiffHammer's code does.
    """

    rate: float
    compounded: bool = False

    def __call__(self, carried: Tensor, gradient: Tensor, count: int) -> Tensor:
        """Return the state and its moments after step `count`, the first being one."""
        where, first, second = carried.chunk(3, 1)
        first = _FIRST * first + (1 - _FIRST) * gradient
        second = _SECOND * second + (1 - _SECOND) * gradient.square()
        corrected = first / (1 - _FIRST**count), second / (1 - _SECOND**count)
        where = where - self.rate * corrected[0] / (_root(corrected[1]) + _EPSILON)
        return torch.cat([where, *(corrected if self.compounded else (first, second))], 1)


def at_rest(state: Tensor) -> Tensor:
    """Return a state with moments of zero."""
    return torch.cat([state, torch.zeros_like(state), torch.zeros_like(state)], 1)


def position(carried: Tensor) -> Tensor:
    """Return the state without its moments."""
    return carried.chunk(3, 1)[0]


def _root(numbers: Tensor) -> Tensor:
    """Return the square root, with slope zero at zero."""
    positive = numbers > 0
    return numbers.where(positive, 1).sqrt().where(positive, 0)
