"""Rules for the layers that are linear: all rows pass at once, and a bias enters the value's row alone."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from purigeom.geometry.dual.rows import Rule, Rules, aligned, constant, rows, shifted

_DIMENSIONS: Mapping[Any, int] = {
    functional.conv1d: 3,
    functional.conv2d: 4,
    functional.conv3d: 5,
    functional.conv_transpose1d: 3,
    functional.conv_transpose2d: 4,
    functional.conv_transpose3d: 5,
}


def _convolution(function: Callable[..., Tensor], dimensions: int) -> Rule:
    def rule(input: Any, weight: Any, bias: Any = None, *arguments: Any, **options: Any) -> Any:
        if rows(input) is None or rows(weight) is not None or rows(bias) is not None or input.dim() != dimensions:
            return NotImplemented
        convolved = function(input.stack.flatten(0, 1), weight, None, *arguments, **options)
        convolved = convolved.unflatten(0, input.stack.shape[:2])
        if bias is not None:
            convolved[0] += bias.reshape(-1, *[1] * (dimensions - 2))
        return convolved

    return rule


def _linear(input: Any, weight: Any, bias: Any = None) -> Any:
    if rows(input) is None or rows(weight) is not None or rows(bias) is not None:
        return NotImplemented
    product = functional.linear(input.stack, weight)
    if bias is not None:
        product[0] += bias
    return product


def _on_images(function: Callable[..., Tensor]) -> Rule:
    """Return the rule of a linear function of images: rows and images are one batch."""

    def rule(input: Any, *arguments: Any, **options: Any) -> Any:
        if input.dim() < 3:
            return NotImplemented
        return function(input.stack.flatten(0, 1), *arguments, **options).unflatten(0, input.stack.shape[:2])

    return rule


def _grid_sample(input: Any, grid: Tensor, *arguments: Any, **options: Any) -> Any:
    if rows(grid) is not None:
        return NotImplemented
    grids = grid.expand(len(input.stack), *grid.shape).flatten(0, 1)
    return functional.grid_sample(input.stack.flatten(0, 1), grids, *arguments, **options).unflatten(
        0, input.stack.shape[:2]
    )


def _largest_in_window(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Look up, in every tangent, the pixel that is the value's largest."""
    if return_indices or input.dim() != 4:
        return NotImplemented
    pooled, places = functional.max_pool2d(
        input.stack[0], kernel_size, stride or None, padding, dilation, ceil_mode, return_indices=True
    )
    picked = input.stack.flatten(-2).gather(-1, places.flatten(-2).expand(len(input.stack), *[-1] * 3))
    return picked.unflatten(-1, pooled.shape[-2:])


def _reduced(function: Callable[..., Tensor]) -> Rule:
    """Return the rule of a sum or mean over some dimensions, or all."""

    def rule(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, axis: Any = None) -> Any:
        dim = axis if dim is None else dim
        if not input.dim():
            return NotImplemented
        if dim is None or (not isinstance(dim, int) and not len(dim)):
            dim = range(input.dim())
        dimensions = [shifted(dim)] if isinstance(dim, int) else [shifted(one) for one in dim]
        return function(input.stack, dimensions, keepdim=keepdim, dtype=dtype)

    return rule


def _dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    return NotImplemented if training and p else input.stack


def _batch_norm(
    input: Any,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Scale by running statistics: in evaluation mode the layer is affine."""
    if training or running_mean is None or running_var is None or rows(weight) is not None or rows(bias) is not None:
        return NotImplemented
    scale = (running_var + eps).rsqrt() * (1 if weight is None else weight)
    shift = (0 if bias is None else bias) - running_mean * scale
    shape = (-1, *[1] * (input.dim() - 2))
    scaled = input.stack * scale.reshape(shape)
    scaled[0] += shift.reshape(shape)
    return scaled.to(input.stack.dtype)


def _gather(input: Any, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Any:
    if rows(input) is None or not input.dim():
        return NotImplemented
    return input.stack.gather(shifted(dim), index.expand(len(input.stack), *index.shape))


def _index_select(input: Any, dim: int, index: Tensor) -> Any:
    return input.stack.index_select(shifted(dim), index) if input.dim() else NotImplemented


def _selected(condition: Tensor, input: Any, other: Any) -> Any:
    """Choose, number by number, which of two stacks or plain values goes on."""
    if not all(isinstance(part, Tensor) for part in (input, other)) or input.dtype != other.dtype:
        return NotImplemented
    stack = rows(input) if rows(input) is not None else rows(other)
    assert stack is not None
    rank = max(part.dim() for part in (condition, input, other))
    left, right = (_as_stack(part, len(stack), rank) for part in (input, other))
    return torch.where(condition, left, right)


def _as_stack(part: Any, count: int, rank: int) -> Tensor:
    stack = rows(part)
    return aligned(constant(part, count) if stack is None else stack, rank)


RULES: Rules = {
    **{function: _convolution(function, dimensions) for function, dimensions in _DIMENSIONS.items()},
    **dict.fromkeys((functional.linear, torch._C._nn.linear), _linear),
    **{
        function: _on_images(function)
        for function in (
            functional.avg_pool2d,
            functional.adaptive_avg_pool2d,
            functional.interpolate,
            functional.upsample,
        )
    },
    functional.grid_sample: _grid_sample,
    **dict.fromkeys((torch.max_pool2d, functional.max_pool2d), _largest_in_window),
    **{function: _reduced(torch.sum) for function in (torch.sum, Tensor.sum)},
    **{function: _reduced(torch.mean) for function in (torch.mean, Tensor.mean)},
    **dict.fromkeys((functional.dropout, functional.dropout2d, torch.dropout), _dropout),
    **dict.fromkeys((functional.batch_norm,), _batch_norm),
    **dict.fromkeys((torch.gather, Tensor.gather), _gather),
    **dict.fromkeys((torch.index_select, Tensor.index_select), _index_select),
    torch.where: _selected,
}
