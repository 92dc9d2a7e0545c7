"""Rules for sums and products of numbers that may both have tangents: the product rule, once per factor."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.func import vmap
from torch.nn import functional
from torch.utils._pytree import tree_flatten, tree_unflatten

from purigeom.geometry.dual.rows import Rule, Rules, aligned, joined, rows


def _rank(operand: Any) -> int:
    return operand.dim() if isinstance(operand, Tensor) else 0


def _yields(*operands: Any) -> bool:
    """Return whether a dual without dimensions has its own type: torch takes the other's, but a stack would not."""
    types = {operand.dtype for operand in operands if isinstance(operand, Tensor)}
    return len(types) > 1 and any(rows(operand) is not None and not operand.dim() for operand in operands)


def _pair(left: Any, right: Any) -> tuple[Tensor, Tensor]:
    """Return the stacks of two duals with equally many dimensions."""
    rank = max(_rank(left), _rank(right))
    return aligned(left.stack, rank), aligned(right.stack, rank)


def _add(input: Any, other: Any, *, alpha: float = 1) -> Any:
    if _yields(input, other):
        return NotImplemented
    if rows(input) is not None and rows(other) is not None:
        left, right = _pair(input, other)
        return torch.add(left, right, alpha=alpha)
    if rows(input) is not None:
        return _raised(input, other * alpha if alpha != 1 else other, 1)
    return _raised(other, input, alpha)


def _raised(dual: Any, constant: Any, factor: float) -> Tensor:
    """Return factor * dual + constant: a constant moves the value alone, but all rows take its shape and type."""
    scaled = aligned(dual.stack, _rank(constant))
    scaled = scaled if factor == 1 else scaled * factor
    value = scaled[0] + constant
    moved = scaled.to(value.dtype, copy=True)
    moved = moved if value.shape == moved.shape[1:] else moved.expand(len(moved), *value.shape).clone()
    moved[0] = value
    return moved


def _subtract(input: Any, other: Any, *, alpha: float = 1) -> Any:
    return _add(input, other, alpha=-alpha)


def _subtract_from(input: Any, other: Any) -> Any:
    return _add(other, input, alpha=-1)


def _multiply(input: Any, other: Any) -> Any:
    if _yields(input, other):
        return NotImplemented
    if rows(input) is not None and rows(other) is not None:
        left, right = _pair(input, other)
        product = left * right[:1]
        product[1:] += left[:1] * right[1:]
        return product
    dual, constant = (input, other) if rows(input) is not None else (other, input)
    return aligned(dual.stack, _rank(constant)) * constant


def _divide(input: Any, other: Any, *, rounding_mode: str | None = None) -> Any:
    if rounding_mode is not None or _yields(input, other):
        return NotImplemented
    if rows(other) is None:
        return aligned(input.stack, _rank(other)) / other
    rank = max(_rank(input), _rank(other))
    below = aligned(other.stack, rank)
    if rows(input) is None:
        value = input / below[:1]
        return torch.cat([value, -value / below[:1] * below[1:]])
    quotient = aligned(input.stack, rank) / below[:1]
    quotient[1:] -= quotient[:1] / below[:1] * below[1:]
    return quotient


def _divide_into(input: Any, other: Any) -> Any:
    return _divide(other, input)


def _matrix_product(input: Any, other: Any) -> Any:
    if min(_rank(input), _rank(other)) < 2:
        return NotImplemented
    rank = max(_rank(input), _rank(other))
    if rows(other) is None:
        return aligned(input.stack, rank) @ other
    if rows(input) is None:
        return input @ aligned(other.stack, rank)
    left, right = _pair(input, other)
    product = left @ right[:1]
    product[1:] += left[:1] @ right[1:]
    return product


def _swapped_matrix_product(input: Any, other: Any) -> Any:
    return _matrix_product(other, input)


def _product_added(input: Any, left: Any, right: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    product = (left @ right) * alpha
    return input * beta + product if beta else product


def _multilinear(function: Callable[..., Any]) -> Rule:
    """Return the rule of a function linear in each of its tensors: every factor's tangents meet the others' values."""

    def rule(*arguments: Any, **options: Any) -> Tensor:
        leaves, shape = tree_flatten((arguments, options))
        values = [leaf if rows(leaf) is None else leaf.stack[0] for leaf in leaves]

        def at(place: int, row: Any) -> Tensor:
            given, named = tree_unflatten([*values[:place], row, *values[place + 1 :]], shape)
            return function(*given, **named)

        places = [place for place, leaf in enumerate(leaves) if rows(leaf) is not None]
        along = [vmap(lambda row, place=place: at(place, row))(leaves[place].stack[1:]) for place in places]
        return joined(at(places[0], values[places[0]]), sum(along[1:], along[0]))

    return rule


def _softmax(input: Any, dim: int | None = None, dtype: torch.dtype | None = None, **_: Any) -> Any:
    if dtype is not None or dim is None:
        return NotImplemented
    dim = dim % input.dim() + 1
    probability = torch.softmax(input.stack[:1], dim)
    weighted = probability * input.stack[1:]
    tangents = torch.addcmul(weighted, probability, weighted.sum(dim, keepdim=True), value=-1)
    return torch.cat([probability, tangents])


def _attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    """Attend in plain operations, each of which has a rule; no fused kernel has a forward derivative."""
    if attn_mask is not None or dropout_p or is_causal or enable_gqa:
        return NotImplemented
    weights = query @ key.transpose(-1, -2) * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
    return torch.softmax(weights, -1) @ value


_DIVISIONS = (
    torch.div,
    torch.divide,
    torch.true_divide,
    Tensor.div,
    Tensor.divide,
    Tensor.true_divide,
    Tensor.__truediv__,
)

RULES: Rules = {
    **dict.fromkeys((torch.add, Tensor.add, Tensor.__add__, Tensor.__radd__), _add),
    **dict.fromkeys((torch.sub, torch.subtract, Tensor.sub, Tensor.__sub__), _subtract),
    **dict.fromkeys((torch.rsub, Tensor.__rsub__), _subtract_from),
    **dict.fromkeys((torch.mul, torch.multiply, Tensor.mul, Tensor.__mul__, Tensor.__rmul__), _multiply),
    **dict.fromkeys(_DIVISIONS, _divide),
    Tensor.__rtruediv__: _divide_into,
    **dict.fromkeys((torch.matmul, torch.bmm, torch.mm, Tensor.matmul, Tensor.bmm, Tensor.mm), _matrix_product),
    Tensor.__matmul__: _matrix_product,
    **dict.fromkeys((torch.baddbmm, torch.addmm, Tensor.baddbmm, Tensor.addmm), _product_added),
    Tensor.__rmatmul__: _swapped_matrix_product,
    **{function: _multilinear(function) for function in (torch.einsum, torch.functional.einsum, torch.outer)},
    **dict.fromkeys((torch.softmax, functional.softmax, Tensor.softmax), _softmax),
    functional.scaled_dot_product_attention: _attention,
}
