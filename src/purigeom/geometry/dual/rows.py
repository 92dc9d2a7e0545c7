"""What every rule needs: the rows of a stack, whose first is the value and whose others are its tangents."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from torch import Tensor

Rule: TypeAlias = Callable[..., Any]
"""Takes a function's own arguments, duals among them; returns stacks, or NotImplemented where it does not apply."""
Rules: TypeAlias = Mapping[Callable[..., Any], Rule]


def rows(operand: Any) -> Tensor | None:
    """Return the stack of a dual number; None for everything that has no tangents."""
    return getattr(operand, "stack", None)


def shifted(dimension: int) -> int:
    """Return where a dimension of the value lies in the stack."""
    return dimension if dimension < 0 else dimension + 1


def sizes(given: tuple[Any, ...]) -> tuple[int, ...]:
    """Return sizes or dimensions that were given one by one or as one sequence."""
    return tuple(given[0]) if len(given) == 1 and not isinstance(given[0], int) else given


def aligned(stack: Tensor, rank: int) -> Tensor:
    """Give the value as many dimensions as it is to be broadcast with; new ones come first, after the rows."""
    missing = rank + 1 - stack.dim()
    return stack if missing <= 0 else stack.reshape(stack.shape[0], *[1] * missing, *stack.shape[1:])


def constant(value: Tensor, count: int) -> Tensor:
    """Return a stack of so many rows whose tangents are zero."""
    stack = value.new_zeros((count, *value.shape))
    stack[0] = value
    return stack


def joined(value: Tensor, tangents: Tensor) -> Tensor:
    """Return the stack of a value and its tangents."""
    stack = tangents.new_empty((1 + tangents.shape[0], *tangents.shape[1:]))
    stack[0], stack[1:] = value, tangents
    return stack
