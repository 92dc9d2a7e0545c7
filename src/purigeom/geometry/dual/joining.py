"""Rules for functions that cut numbers apart, join them and pad them."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from purigeom.geometry.dual.rows import Rules, constant, rows, shifted


def _chunk(dual: Any, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    return dual.stack.chunk(chunks, shifted(dim))


def _split(dual: Any, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    return dual.stack.split(split_size_or_sections, shifted(dim))


def _unbind(dual: Any, dim: int = 0) -> tuple[Tensor, ...]:
    return dual.stack.unbind(shifted(dim))


def _stacks(parts: Any) -> list[Tensor]:
    """Return the stacks of duals and plain tensors that are to be joined; the latter's tangents are zero."""
    count = next(len(stack) for part in parts if (stack := rows(part)) is not None)
    return [constant(part, count) if (stack := rows(part)) is None else stack for part in parts]


def _cat(tensors: Any, dim: int = 0) -> Tensor:
    return torch.cat(_stacks(tensors), shifted(dim))


def _stack(tensors: Any, dim: int = 0) -> Tensor:
    return torch.stack(_stacks(tensors), shifted(dim))


def _pad(input: Any, pad: Any, mode: str = "constant", value: float | None = None) -> Any:
    if mode == "constant":
        padded = functional.pad(input.stack, pad)
        if value:
            padded[0] = functional.pad(input.stack[0], pad, value=value)
        return padded
    flat = functional.pad(input.stack.flatten(0, 1), pad, mode)
    return flat.unflatten(0, input.stack.shape[:2])


RULES: Rules = {
    **dict.fromkeys((Tensor.chunk, torch.chunk), _chunk),
    **dict.fromkeys((Tensor.split, torch.split), _split),
    **dict.fromkeys((Tensor.unbind, torch.unbind), _unbind),
    **dict.fromkeys((torch.cat, torch.concat, torch.concatenate), _cat),
    torch.stack: _stack,
    **dict.fromkeys((functional.pad, torch._C._nn.pad), _pad),
}
