"""Rules for functions that change a number's type or place, copy it, or take it out of the computation."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from purigeom.geometry.dual.plain import getter
from purigeom.geometry.dual.rows import Rule, Rules, constant, rows


def _to(dual: Any, *target: Any, memory_format: Any = torch.preserve_format, **options: Any) -> Any:
    if memory_format is not torch.preserve_format:
        return NotImplemented if target or options else _contiguous(dual, memory_format)
    plain = [thing if (stack := rows(thing)) is None else stack for thing in target]
    return dual.stack.to(
        *plain, **{name: other if rows(other) is None else rows(other) for name, other in options.items()}
    )


def _type(dual: Any, dtype: Any = None, non_blocking: bool = False) -> Any:
    return dual.stack[0].type() if dtype is None else dual.stack.type(dtype)


def _type_as(dual: Any, other: Any) -> Tensor:
    return dual.stack.type_as(other if rows(other) is None else rows(other))


def _contiguous(dual: Any, memory_format: Any = torch.contiguous_format) -> Tensor:
    """Lay out every row as asked; a value that lies so already stays where it is, as in torch."""
    if dual.is_contiguous(memory_format=memory_format):
        return dual.stack
    if memory_format is torch.contiguous_format:
        return dual.stack.contiguous()
    return dual.stack.flatten(0, 1).contiguous(memory_format=memory_format).unflatten(0, dual.stack.shape[:2])


def _clone(dual: Any, memory_format: Any = None) -> Tensor:
    return dual.stack.clone()


def _detach(dual: Any) -> Tensor:
    """Keep the value and drop its tangents; what is done in place to one is not seen by the other."""
    return constant(dual.stack[0], len(dual.stack))


def _numpy(dual: Any, *arguments: Any, **options: Any) -> Any:
    """Hand out the value, where its tangents have been dropped before: numpy would lose them."""
    return NotImplemented if dual.stack[1:].any() else dual.stack[0].cpu().__array__(*arguments)


def _on_stack(function: Callable[..., Any]) -> Rule:
    """Return the rule of a conversion that does the same to every row of any shape."""
    return lambda dual, *arguments: function(dual.stack, *arguments)


_CASTS = (Tensor.float, Tensor.double, Tensor.half, Tensor.bfloat16, Tensor.cpu, Tensor.cuda)
_PARTS = (torch.real, torch.imag, getter("real"), getter("imag"))

RULES: Rules = {
    **{function: _on_stack(function) for function in (*_CASTS, *_PARTS)},
    Tensor.to: _to,
    Tensor.type: _type,
    Tensor.type_as: _type_as,
    Tensor.contiguous: _contiguous,
    **dict.fromkeys((Tensor.clone, torch.clone), _clone),
    **dict.fromkeys((Tensor.detach, torch.detach), _detach),
    **dict.fromkeys((Tensor.numpy, Tensor.__array__), _numpy),
}
