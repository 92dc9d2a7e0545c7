"""Functions that change a tensor in place, and their twins that do not."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from purigeom.geometry.dual.rows import aligned, rows

_TWINS: Mapping[str, Callable[..., Any]] = {
    "zero_": torch.zeros_like,
    "fill_": torch.fill,
    "copy_": lambda target, source, *_: source.to(target.dtype),
}
"""Twins that the name does not tell."""

_VIEWS = {"t_", "transpose_", "swapaxes_", "swapdims_", "squeeze_", "unsqueeze_", "as_strided_"}
_OF_THE_TENSOR = _VIEWS | {"resize_", "resize_as_", "set_", "requires_grad_", "__set__", "__delete__"}
"""Functions that change what a tensor is, not its numbers."""


def writes(name: str) -> bool:
    """Return whether a function of this name changes its first argument."""
    operator = name.startswith("__i") and hasattr(Tensor, f"__{name[3:]}")
    return operator or name in _OF_THE_TENSOR or (name.endswith("_") and not name.endswith("__"))


def twin(name: str) -> Callable[..., Any] | None:
    """Return the function that makes new numbers instead; None where there is none."""
    if name in _OF_THE_TENSOR:
        return None
    return _TWINS.get(name) or getattr(Tensor, f"__{name[3:]}" if name.endswith("__") else name[:-1], None)


def write(stack: Tensor, answer: Tensor) -> None:
    """Write numbers into a stack, where all its views see them."""
    new = rows(answer)
    if new is None:
        stack.zero_()
        stack[0] = answer
    else:
        stack.copy_(aligned(new, stack.dim() - 1))


def write_at(stack: Tensor, place: Any, index: Any, item: Any) -> None:
    """Write numbers at a place of a stack, which is the value's index with all rows before it."""
    new = rows(item)
    if new is None:
        stack[place] = 0
        stack[0][index] = item
    else:
        stack[place] = aligned(new, stack[place].dim() - 1)
