"""Rules for functions of one number each: every tangent is scaled by the slope at the value."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from purigeom.geometry.dual.rows import Rule, Rules, rows


def _scaled(dual: Any, value: Tensor, slope: Tensor) -> Tensor:
    stack = dual.stack * slope
    stack[0] = value
    return stack


def _by_slope(function: Callable[..., Tensor], slope: Callable[[Tensor, Tensor], Tensor]) -> Rule:
    """Return the rule of a function without settings, given its slope at a number and the function's value there."""

    def rule(input: Any) -> Any:
        number = input.stack[0]
        if number.is_complex():
            return NotImplemented
        value = function(number)
        return _scaled(input, value, slope(number, value))

    return rule


def _silu(input: Any) -> Tensor:
    number = input.stack[0]
    gate = torch.sigmoid(number)
    value = number * gate
    return _scaled(input, value, torch.addcmul(gate, value, 1 - gate))


def _relu(input: Any) -> Tensor:
    return _scaled(input, torch.relu(input.stack[0]), input.stack[0] > 0)


def _leaky_relu(input: Any, negative_slope: float = 0.01) -> Tensor:
    return torch.where(input.stack[0] > 0, input.stack, input.stack * negative_slope)


def _gelu(input: Any, approximate: str = "none") -> Any:
    if approximate != "none":
        return NotImplemented
    number = input.stack[0]
    below = (1 + torch.erf(number / math.sqrt(2))) / 2
    density = torch.exp(-number.square() / 2) / math.sqrt(2 * math.pi)
    return _scaled(input, functional.gelu(number), torch.addcmul(below, number, density))


def _clamp(input: Any, min: Any = None, max: Any = None) -> Any:
    """Stop the tangents where the value is clipped; on the limit itself they pass, as in torch."""
    if rows(input) is None or any(rows(limit) is not None for limit in (min, max)):
        return NotImplemented
    number = input.stack[0]
    inside = torch.ones_like(number, dtype=torch.bool)
    inside = inside if min is None else inside & (number >= min)
    inside = inside if max is None else inside & (number <= max)
    if inside.shape != number.shape:
        return NotImplemented
    return _scaled(input, number.clamp(min, max), inside)


def _power(input: Any, exponent: Any) -> Any:
    if not isinstance(exponent, int | float) or exponent == 0:
        return NotImplemented
    number = input.stack[0]
    return _scaled(input, number**exponent, exponent * number ** (exponent - 1))


def _negative(input: Any) -> Tensor:
    return -input.stack


_SLOPES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "sigmoid": lambda _, value: value * (1 - value),
    "tanh": lambda _, value: 1 - value.square(),
    "exp": lambda _, value: value,
    "log": lambda number, _: number.reciprocal(),
    "sqrt": lambda _, value: value.reciprocal() / 2,
    "rsqrt": lambda _, value: value**3 / -2,
    "reciprocal": lambda _, value: -value.square(),
    "sin": lambda number, _: number.cos(),
    "cos": lambda number, _: -number.sin(),
    "square": lambda number, _: 2 * number,
    "abs": lambda number, _: number.sign(),
}

RULES: Rules = {
    **{
        function: _by_slope(getattr(torch, name), slope)
        for name, slope in _SLOPES.items()
        for function in (getattr(torch, name), getattr(Tensor, name))
    },
    **dict.fromkeys((functional.sigmoid,), _by_slope(torch.sigmoid, _SLOPES["sigmoid"])),
    **dict.fromkeys((functional.tanh,), _by_slope(torch.tanh, _SLOPES["tanh"])),
    **dict.fromkeys((functional.silu, torch._C._nn.silu), _silu),
    **dict.fromkeys((functional.relu, torch.relu, Tensor.relu), _relu),
    **dict.fromkeys((functional.leaky_relu, torch._C._nn.leaky_relu), _leaky_relu),
    **dict.fromkeys((functional.gelu, torch._C._nn.gelu), _gelu),
    **dict.fromkeys((torch.clamp, torch.clip, Tensor.clamp, Tensor.clip), _clamp),
    **dict.fromkeys((torch.pow, Tensor.pow, Tensor.__pow__), _power),
    **dict.fromkeys((torch.neg, torch.negative, Tensor.neg, Tensor.__neg__), _negative),
}
