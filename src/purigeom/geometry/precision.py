"""In what precision a computation works: that of the narrowest floating-point numbers it makes."""

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

T = TypeVar("T")

ROUNDINGS = 16
"""Machine precisions by which a network's numbers may change with the order of its sums."""


def narrowest(call: Callable[[], T]) -> tuple[T, float]:
    """Return what a call returns, and the machine precision of the narrowest floats made on the way; zero for none.

    Examples
    --------
    >>> narrowest(lambda: torch.ones(2).bfloat16().double().sum().item())
    (2.0, 0.0078125)
    """
    with _Precisions() as seen:
        answer = call()
    return answer, seen.coarsest


class _Precisions(TorchDispatchMode):
    """Note the coarsest precision of the floating-point tensors that functions make, autocast's among them."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.coarsest = 0.0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        answer = function(*args, **(kwargs or {}))
        for leaf in tree_leaves(answer):
            if isinstance(leaf, Tensor) and leaf.is_floating_point():
                self.coarsest = max(self.coarsest, torch.finfo(leaf.dtype).eps)
        return answer
