"""Rules for functions that only move numbers: reshaping, slicing, turning and repeating."""

from collections.abc import Callable
from types import EllipsisType
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


def _view(dual: Any, *shape: Any) -> Any:
    """Return a view, never a copy: what is written into it is written into the tensor."""
    if len(shape) == 1 and isinstance(shape[0], torch.dtype):
        return NotImplemented
    return dual.stack.view(len(dual.stack), *sizes(shape))


def _reshape_as(dual: Any, other: Tensor) -> Any:
    return _reshape(dual, *other.shape)


def _view_as(dual: Any, other: Tensor) -> Any:
    return _view(dual, *other.shape)


def _flatten(dual: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    return dual.stack.flatten(shifted(start_dim), shifted(end_dim)) if dual.dim() else NotImplemented


def _unflatten(dual: Any, dim: int, sizes: Any) -> Tensor:
    return dual.stack.unflatten(shifted(dim), sizes)


def _transpose(dual: Any, dim0: int, dim1: int) -> Tensor:
    return dual.stack.transpose(shifted(dim0), shifted(dim1))


def _permute(dual: Any, *dims: Any) -> Tensor:
    return dual.stack.permute(0, *(dimension % dual.dim() + 1 for dimension in sizes(dims)))


def _matrix_transpose(dual: Any) -> Any:
    return dual.stack.transpose(-1, -2) if dual.dim() > 1 else NotImplemented


def _reversed(dual: Any) -> Tensor:
    return dual.stack.permute(0, *range(dual.dim(), 0, -1))


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
    arrays = [part for part in parts if not isinstance(part, int | slice | EllipsisType | None)]
    numbers = [part for part in parts if isinstance(part, int)]
    if (arrays and len(arrays) + len(numbers) > 1) or any(rows(part) is not None for part in parts):
        return NotImplemented
    return NotImplemented if any(isinstance(part, bool) for part in parts) else (slice(None), *parts)


def _item(dual: Any, index: Any) -> Any:
    place = shifted_index(index)
    return place if place is NotImplemented else dual.stack[place]


def _select(dual: Any, dim: int, index: int) -> Tensor:
    return dual.stack.select(shifted(dim), index)


def _narrow(dual: Any, dim: int, start: int, length: int) -> Tensor:
    return dual.stack.narrow(shifted(dim), start, length)


def _on_each_row(function: Callable[..., Any]) -> Rule:
    """Return the rule of a linear function whose dimensions are the value's: it is mapped over the rows."""

    def rule(dual: Any, *arguments: Any, **options: Any) -> Any:
        if any(rows(argument) is not None for argument in tree_leaves((arguments, options))):
            return NotImplemented
        return vmap(lambda row: function(row, *arguments, **options))(dual.stack)

    return rule


_TRANSPOSITIONS = {getattr(owner, name) for name in ("transpose", "swapaxes", "swapdims") for owner in (Tensor, torch)}
_MOVES = (
    "roll",
    "flip",
    "fliplr",
    "flipud",
    "movedim",
    "moveaxis",
    "diff",
    "tile",
    "cumsum",
    "tril",
    "triu",
    "diagonal",
)
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
    **dict.fromkeys((Tensor.reshape, torch.reshape), _reshape),
    Tensor.reshape_as: _reshape_as,
    Tensor.view: _view,
    Tensor.view_as: _view_as,
    **dict.fromkeys((Tensor.flatten, torch.flatten, Tensor.ravel, torch.ravel), _flatten),
    **dict.fromkeys((Tensor.unflatten, torch.unflatten), _unflatten),
    **dict.fromkeys(_TRANSPOSITIONS, _transpose),
    **dict.fromkeys((Tensor.permute, torch.permute), _permute),
    getter("mT"): _matrix_transpose,
    **dict.fromkeys((getter("T"), Tensor.t, torch.t), _reversed),
    **dict.fromkeys((Tensor.squeeze, torch.squeeze), _squeeze),
    **dict.fromkeys((Tensor.unsqueeze, torch.unsqueeze), _unsqueeze),
    **dict.fromkeys((Tensor.expand, Tensor.broadcast_to, torch.broadcast_to), _expand),
    Tensor.expand_as: _expand_as,
    Tensor.repeat: _repeat,
    Tensor.__getitem__: _item,
    **dict.fromkeys((Tensor.select, torch.select), _select),
    **dict.fromkeys((Tensor.narrow, torch.narrow), _narrow),
}
