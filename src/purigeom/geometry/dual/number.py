"""Dual numbers that anyone's module computes with: a tensor whose every function also carries tangents along."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from numbers import Number
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor
from torch.func import jvp, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._pytree import tree_flatten, tree_leaves, tree_map, tree_unflatten

from purigeom.geometry.dual import (
    conversions,
    distances,
    elementwise,
    inplace,
    joining,
    layers,
    normalisation,
    plain,
    products,
    shapes,
)
from purigeom.geometry.dual.rows import Rules

_FAMILIES = (conversions, distances, elementwise, joining, layers, normalisation, products, shapes)
RULES: Rules = {function: rule for family in _FAMILIES for function, rule in family.RULES.items()}

Way: TypeAlias = Literal["rule", "vmap(jvp)"]
_taken: ContextVar[Counter[tuple[Way, str]] | None] = ContextVar("_taken", default=None)


class StackError(RuntimeError):
    """Raised where a function cannot be computed on stacks, so that the whole step must be differentiated."""


class Dual(Tensor):
    """Images with tangents: `stack` holds the value in row 0 and one tangent in every other row.

    Linear layers run once on all rows. Other functions follow closed rules where there is one; any other is
    differentiated by itself, by `vmap(jvp)`. Both are exact, and neither needs an autograd graph.
    """

    stack: Tensor

    @staticmethod
    def __new__(cls: type["Dual"], stack: Tensor) -> "Dual":
        return Tensor._make_wrapper_subclass(
            cls, stack.shape[1:], strides=stack.stride()[1:], dtype=stack.dtype, device=stack.device
        )

    def __init__(self, stack: Tensor) -> None:
        self.stack = stack

    def __repr__(self) -> str:  # type: ignore[override]
        return f"Dual({tuple(self.shape)}, {len(self.stack) - 1} tangents)"

    @classmethod
    def __torch_function__(
        cls, function: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        if function in plain.DESCRIPTIONS:
            with torch._C.DisableTorchFunctionSubclass():
                return function(*args, **kwargs)
        _refuse_own_derivatives(function, kwargs)
        if function in plain.VALUES or (function in plain.AFTER_ANOTHER and not isinstance(args[0], Dual)):
            return function(*tree_map(_value, args), **tree_map(_value, kwargs))
        if function is Tensor.__setitem__:
            return _set_item(*args)
        if kwargs.pop("inplace", False):
            return _changed_in_place(function, function, args, kwargs)
        name = _name(function)
        if inplace.writes(name):
            return _changed_in_place(function, inplace.twin(name), args, kwargs)
        return _computed(function, args, kwargs)

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]  # torch's own stub forgets the function
        cls, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        msg = f"{function} was called below torch's public functions"
        raise StackError(msg)


@contextmanager
def recorded() -> Iterator[Counter[tuple[Way, str]]]:
    """Count, while the context lasts, which way every function on duals goes."""
    counter: Counter[tuple[Way, str]] = Counter()
    token = _taken.set(counter)
    try:
        yield counter
    finally:
        _taken.reset(token)


def _computed(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    rule = RULES.get(function)
    answer = NotImplemented if rule is None else rule(*args, **kwargs)
    counter = _taken.get()
    if counter is not None:
        way: Way = "vmap(jvp)" if answer is NotImplemented else "rule"
        counter[way, _name(function)] += 1
    if answer is NotImplemented:
        return _by_jvp(function, args, kwargs)
    if isinstance(answer, tuple | list):
        return type(answer)(_dual(stack) for stack in answer)
    return _dual(answer)


def _dual(stack: Any) -> Any:
    """Return a stack as a dual; whole numbers have no tangents."""
    if isinstance(stack, Dual) or not isinstance(stack, Tensor):
        return stack
    return Dual(stack) if _has_slope(stack) else stack[0]


def _value(leaf: Any) -> Any:
    return leaf.stack[0] if isinstance(leaf, Dual) else leaf


def _by_jvp(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Differentiate one function by torch: its floats become duals, all else is what it is for the value."""
    leaves, shape = tree_flatten((args, kwargs))
    places = [place for place, leaf in enumerate(leaves) if isinstance(leaf, Dual)]
    values = tuple(leaves[place].stack[0] for place in places)

    def call(*numbers: Tensor) -> Any:
        filled = list(leaves)
        for place, number in zip(places, numbers, strict=True):
            filled[place] = number
        given, named = tree_unflatten(filled, shape)
        return function(*given, **named)

    def floats(*numbers: Tensor) -> tuple[Tensor, ...]:
        return tuple(leaf for leaf in tree_leaves(call(*numbers)) if _has_slope(leaf))

    with sdpa_kernel(SDPBackend.MATH):
        answer, answer_shape = tree_flatten(call(*values))
        _refuse_views(function, answer, values)
        if not any(_has_slope(leaf) for leaf in answer):
            return tree_unflatten(answer, answer_shape)
        tangents = tuple(leaves[place].stack[1:] for place in places)
        along = iter(vmap(lambda *rows: jvp(floats, values, rows)[1])(*tangents))
    duals = [Dual(torch.cat([leaf[None], next(along)])) if _has_slope(leaf) else leaf for leaf in answer]
    return tree_unflatten(duals, answer_shape)


def _refuse_views(function: Callable[..., Any], answer: list[Any], values: tuple[Tensor, ...]) -> None:
    """Refuse a view that would become a copy, and what hides numbers: a later change, or a slope, could be missed."""
    places = {value.untyped_storage().data_ptr() for value in values}
    for leaf in answer:
        view = isinstance(leaf, Tensor) and leaf.untyped_storage().data_ptr() in places
        if view or not isinstance(leaf, Tensor | Number | str | torch.dtype | torch.device | None):
            msg = f"{_name(function)} returns a {'view' if view else type(leaf).__name__} and has no rule"
            raise StackError(msg)


def _refuse_own_derivatives(function: Callable[..., Any], kwargs: dict[str, Any]) -> None:
    """Refuse what is part of an autograd.Function, whose slope is what its author says, and what fills a buffer."""
    if not torch._C._is_fwd_grad_enabled() and not torch.is_inference_mode_enabled():
        msg = f"{_name(function)} is called within an autograd.Function, which has derivatives of its own"
        raise StackError(msg)
    if kwargs.get("out") is not None:
        msg = f"{_name(function)} writes into a tensor given as `out`"
        raise StackError(msg)


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", repr(function))


def _has_slope(leaf: Any) -> bool:
    return isinstance(leaf, Tensor) and (leaf.is_floating_point() or leaf.is_complex())


def _changed_in_place(
    function: Callable[..., Any], twin: Callable[..., Any] | None, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Compute the new numbers by a twin that changes nothing, then write them where views see them."""
    target = args[0]
    if not isinstance(target, Dual) or twin is None:
        lack = "has no twin that does not" if isinstance(target, Dual) else "writes tangents into a tensor without"
        msg = f"{_name(function)} changes its tensor in place and {lack}"
        raise StackError(msg)
    inplace.write(target.stack, twin(*args, **kwargs))
    return target


def _set_item(target: Any, index: Any, item: Any) -> None:
    place = shapes.shifted_index(index)
    if not isinstance(target, Dual) or place is NotImplemented:
        msg = "__setitem__ writes numbers with tangents into a tensor without, or at several index arrays"
        raise StackError(msg)
    inplace.write_at(target.stack, place, index, item)
