"""Functions that are only ever computed at one shape, whoever asks: plainly, under autograd, and in stacks."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.func import jvp, vjp

from purigeom.geometry.dual.number import Dual

Function: TypeAlias = Callable[..., Tensor]


def by_rows(function: Function, rows: int, batch: Tensor) -> Tensor:
    """Return a function of a batch whose rows do not mix, computed on exactly so many rows at a time.

    The last rows are repeated where some lack, and what comes of these is dropped. A stack's tangents go one by one,
    each with the value that it belongs to. Where there are no rows, none are made up.

    Examples
    --------
    >>> by_rows(lambda part: torch.full((len(part),), len(part)), 4, torch.zeros(6, 1))
    tensor([4, 4, 4, 4, 4, 4])
    """
    if not len(batch):
        return function(batch)
    if not isinstance(batch, Dual):
        parts = [_fixed(function, _filled(part, rows))[: len(part)] for part in batch.split(rows)]
        return torch.cat(parts)
    answers = [_pair_by_rows(function, rows, batch.stack[[0, row]]) for row in range(1, len(batch.stack))]
    return Dual(torch.cat([answers[0][:1], *[answer[1:] for answer in answers]]))


def _pair_by_rows(function: Function, rows: int, pair: Tensor) -> Tensor:
    """Return a function of a value and one tangent, which are the two rows of a stack."""
    answers = []
    for part in pair.split(rows, 1):
        filled = torch.stack([_filled(one, rows) for one in part])
        answer = function(Dual(filled))
        stack = answer.stack if isinstance(answer, Dual) else torch.stack([answer, torch.zeros_like(answer)])
        answers.append(stack[:, : part.shape[1]])
    return torch.cat(answers, 1)


def _filled(part: Tensor, rows: int) -> Tensor:
    """Return a part with its last row repeated until there are enough."""
    lacking = rows - len(part)
    return torch.cat([part, part[-1:].expand(lacking, *part.shape[1:])]) if lacking else part


class _Fixed(torch.autograd.Function):
    """Compute a function of tensors at their very shapes: its derivatives too, and one after another under `vmap`.

    A derivative of such a function is one itself, so that torch may ask for any order. It computes the function anew.
    """

    @staticmethod
    def forward(function: Function, *inputs: Tensor) -> Tensor:
        return function(*(one.detach().contiguous() for one in inputs))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        del output
        ctx.function = inputs[0]
        ctx.save_for_backward(*inputs[1:])
        ctx.save_for_forward(*inputs[1:])

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> tuple[Tensor | None, ...]:
        values, needed = ctx.saved_tensors, ctx.needs_input_grad[1:]
        ways = (partial(_pulled, ctx.function, place) for place in range(len(values)))
        pulled = (_fixed(way, *values, cotangent) if one else None for way, one in zip(ways, needed, strict=True))
        return None, *pulled

    @staticmethod
    def jvp(ctx: Any, _: None, *tangents: Tensor | None) -> Any:
        values = ctx.saved_tensors
        along = [torch.zeros_like(one) if way is None else way for one, way in zip(values, tangents, strict=True)]
        return _fixed(partial(_pushed, ctx.function), *values, *along)

    @staticmethod
    def vmap(info: Any, in_dims: Sequence[int | None], function: Function, *inputs: Tensor) -> tuple[Tensor, int]:
        dims = in_dims[1:]
        given = [
            [one if dim is None else one.select(dim, place) for one, dim in zip(inputs, dims, strict=True)]
            for place in range(info.batch_size)
        ]
        return torch.stack([_fixed(function, *one) for one in given]), 0


def _fixed(function: Function, *inputs: Tensor) -> Tensor:
    compute: Callable[..., Tensor] = _Fixed.apply
    return compute(function, *inputs)


def _pulled(function: Function, place: int, *given: Tensor) -> Tensor:
    """Pull the last of the tensors back to one of those that the function takes."""
    *values, cotangent = given
    found: Tensor = vjp(function, *values)[1](cotangent)[place]
    return found


def _pushed(function: Function, *given: Tensor) -> Tensor:
    """Push the second half of the tensors through a function of the first."""
    half = len(given) // 2
    with torch.enable_grad():  # else torch takes backward formulas that have no slope of their own
        found: Tensor = jvp(function, given[:half], given[half:])[1]
    return found
