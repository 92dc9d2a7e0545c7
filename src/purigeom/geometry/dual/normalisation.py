"""Rules for normalising layers: every tangent shares the value's mean and deviation."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from purigeom.geometry.dual.rows import Rules, rows


def normalised(stack: Tensor, eps: float) -> Tensor:
    """Normalise the last dimension of the value, and carry the tangents along.

    With n = (x - mean x) / s, the tangent of n along d is (d - mean d - n mean(n d)) / s.
    """
    centred = stack - stack.mean(-1, keepdim=True)
    inverse = torch.rsqrt(centred[:1].square().mean(-1, keepdim=True) + eps)
    value = centred[:1] * inverse
    tangents = centred[1:]
    along = (value * tangents).mean(-1, keepdim=True)
    tangents.addcmul_(value, along, value=-1)
    centred.mul_(inverse)
    return centred


def _affine(stack: Tensor, weight: Tensor | None, bias: Tensor | None, shape: tuple[int, ...]) -> Tensor:
    if weight is not None:
        stack.mul_(weight.reshape(shape))
    if bias is not None:
        stack[0] += bias.reshape(shape)
    return stack


def _group_norm(
    input: Any,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
    *_: Any,
) -> Any:
    if any(rows(parameter) is not None for parameter in (weight, bias)):
        return NotImplemented
    stack = _wide(input.stack)
    grouped = normalised(stack.reshape(*stack.shape[:2], num_groups, -1), eps).reshape(stack.shape)
    return _affine(grouped, weight, bias, (-1, *[1] * (input.dim() - 2))).to(input.stack.dtype)


def _layer_norm(
    input: Any,
    normalized_shape: Any,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
    *_: Any,
) -> Any:
    if any(rows(parameter) is not None for parameter in (weight, bias)):
        return NotImplemented
    stack = _wide(input.stack)
    shape = tuple(normalized_shape)
    flat = normalised(stack.flatten(-len(shape)), eps).reshape(stack.shape)
    return _affine(flat, weight, bias, shape).to(input.stack.dtype)


def _wide(stack: Tensor) -> Tensor:
    """Return numbers in which means are safe: half precision is too coarse for them."""
    return stack.float() if stack.dtype in (torch.float16, torch.bfloat16) else stack


RULES: Rules = {
    **dict.fromkeys((functional.group_norm, torch.group_norm), _group_norm),
    **dict.fromkeys((functional.layer_norm, torch.layer_norm), _layer_norm),
}
