"""Rules for functions that only move numbers: reshaping, slicing, joining, padding and changing their type."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.func import vmap
from torch.nn import functional
from torch.utils._pytree import tree_leaves

from purigeom.geometry.dual.plain import getter
from purigeom.geometry.dual.rows import Rule, Rules, aligned, rows, shifted, sizes


def _reshape(dual: Any, *shape: Any) -> Any:
    if len(shape) == 1 and isinstance(shape[0], torch.dtype):
        return NotImplemented
    return dual.stack.reshape(len(dual.stack), *sizes(shape))


def _like_other(dual: Any, other: Tensor) -> Tensor:
    return dual.stack.reshape(len(dual.stack), *other.shape)


def _flatten(dual: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    return dual.stack.flatten(shifted(start_dim), shifted(end_dim)) if dual.dim() else NotImplemented


def _unflatten(dual: Any, dim: int, sizes: Any) -> Tensor:
    return dual.stack.unflatten(shifted(dim), sizes)


def _transpose(dual: Any, dim0: int, dim1: int) -> Tensor:
    return dual.stack.transpose(shifted(dim0), shifted(dim1))


def _permute(dual: Any, *dims: Any) -> Tensor:
    return dual.stack.permute(0, *(dimension % dual.dim() + 1 for dimension in sizes(dims)))


def _matrix_transpose(dual: Any) -> Tensor:
    return dual.stack.transpose(-1, -2)


def _squeeze(dual: Any, dim: int | None = None) -> Any:
    if dim is None:
        return dual.stack.reshape(len(dual.stack), *(size for size in dual.shape if size != 1))
    return dual.stack.squeeze(shifted(dim)) if isinstance(dim, int) else NotImplemented


def _unsqueeze(dual: Any, dim: int) -> Tensor:
    return dual.stack.unsqueeze(shifted(dim))


def _expand(dual: Any, *shape: Any) -> Tensor:
    wanted = sizes(shape)
    return aligned(dual.stack, len(wanted)).expand(len(dual.stack), *wanted)


def _expand_as(dual: Any, other: Tensor) -> Tensor:
    return _expand(dual, *other.shape)


def _repeat(dual: Any, *repeats: Any) -> Tensor:
    times = sizes(repeats)
    return aligned(dual.stack, len(times)).repeat(1, *times)


def shifted_index(index: Any) -> Any:
    """Return an index of the value as one of the stack; NotImplemented where arrays would move its dimensions."""
    parts = index if isinstance(index, tuple) else (index,)
    arrays = [part for part in parts if isinstance(part, Tensor | list)]
    if len(arrays) > 1 or any(rows(part) is not None for part in parts):
        return NotImplemented
    if arrays and any(isinstance(part, int) for part in parts):
        return NotImplemented
    return (slice(None), *parts)


def _item(dual: Any, index: Any) -> Any:
    place = shifted_index(index)
    return place if place is NotImplemented else dual.stack[place]


def _select(dual: Any, dim: int, index: int) -> Tensor:
    return dual.stack.select(shifted(dim), index)


def _narrow(dual: Any, dim: int, start: int, length: int) -> Tensor:
    return dual.stack.narrow(shifted(dim), start, length)


def _chunk(dual: Any, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    return dual.stack.chunk(chunks, shifted(dim))


def _split(dual: Any, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    return dual.stack.split(split_size_or_sections, shifted(dim))


def _unbind(dual: Any, dim: int = 0) -> tuple[Tensor, ...]:
    return dual.stack.unbind(shifted(dim))


def _stacks(parts: Any) -> list[Tensor]:
    """Return the stacks of duals and plain tensors that are to be joined; the latter's tangents are zero."""
    count = next(len(stack) for part in parts if (stack := rows(part)) is not None)
    return [_constant(part, count) if (stack := rows(part)) is None else stack for part in parts]


def _constant(part: Tensor, count: int) -> Tensor:
    stack = part.new_zeros((count, *part.shape))
    stack[0] = part
    return stack


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


def _to(dual: Any, *target: Any, **options: Any) -> Tensor:
    plain = [thing if (stack := rows(thing)) is None else stack for thing in target]
    options.pop("memory_format", None)  # it speaks of four dimensions, and of speed alone
    return dual.stack.to(*plain, **options)


def _contiguous(dual: Any, memory_format: Any = torch.contiguous_format) -> Any:
    return dual.stack.contiguous() if memory_format is torch.contiguous_format else dual.stack.clone()


def _clone(dual: Any, memory_format: Any = None) -> Tensor:
    return dual.stack.clone()


def _on_stack(function: Callable[..., Any]) -> Rule:
    """Return the rule of a linear function that does the same to every row of any shape."""
    return lambda dual, *arguments: function(dual.stack, *arguments)


def _on_each_row(function: Callable[..., Any]) -> Rule:
    """Return the rule of a linear function whose dimensions are the value's: it is mapped over the rows."""

    def rule(dual: Any, *arguments: Any, **options: Any) -> Any:
        if any(rows(argument) is not None for argument in tree_leaves((arguments, options))):
            return NotImplemented
        return vmap(lambda row: function(row, *arguments, **options))(dual.stack)

    return rule


_TYPES = (Tensor.float, Tensor.double, Tensor.half, Tensor.bfloat16)
_MOVES = ("roll", "flip", "fliplr", "flipud", "movedim", "diff", "tile", "cumsum", "tril", "triu", "diagonal")
_MOVES_ALONE = (
    Tensor.unfold,
    functional.unfold,
    functional.fold,
    functional.pixel_shuffle,
    functional.pixel_unshuffle,
)


RULES: Rules = {
    **{
        function: _on_each_row(function)
        for name in _MOVES
        for function in (getattr(torch, name), getattr(Tensor, name))
    },
    **{function: _on_each_row(function) for function in _MOVES_ALONE},
    **{function: _on_stack(function) for function in _TYPES},
    **dict.fromkeys((Tensor.reshape, Tensor.view, torch.reshape), _reshape),
    **dict.fromkeys((Tensor.view_as, Tensor.reshape_as), _like_other),
    **dict.fromkeys((Tensor.flatten, torch.flatten), _flatten),
    **dict.fromkeys((Tensor.unflatten, torch.unflatten), _unflatten),
    **dict.fromkeys((Tensor.transpose, torch.transpose, Tensor.swapaxes, torch.swapaxes), _transpose),
    **dict.fromkeys((Tensor.permute, torch.permute), _permute),
    getter("mT"): _matrix_transpose,
    **dict.fromkeys((Tensor.squeeze, torch.squeeze), _squeeze),
    **dict.fromkeys((Tensor.unsqueeze, torch.unsqueeze), _unsqueeze),
    Tensor.expand: _expand,
    Tensor.expand_as: _expand_as,
    Tensor.repeat: _repeat,
    Tensor.__getitem__: _item,
    **dict.fromkeys((Tensor.select, torch.select), _select),
    **dict.fromkeys((Tensor.narrow, torch.narrow), _narrow),
    **dict.fromkeys((Tensor.chunk, torch.chunk), _chunk),
    **dict.fromkeys((Tensor.split, torch.split), _split),
    **dict.fromkeys((Tensor.unbind, torch.unbind), _unbind),
    **dict.fromkeys((torch.cat, torch.concat, torch.concatenate), _cat),
    torch.stack: _stack,
    **dict.fromkeys((functional.pad, torch._C._nn.pad), _pad),
    Tensor.to: _to,
    Tensor.contiguous: _contiguous,
    **dict.fromkeys((Tensor.clone, torch.clone), _clone),
}
