"""Dual numbers that anyone's module computes with: a tensor whose every function also carries tangents along."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor
from torch.func import jvp, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._pytree import tree_flatten, tree_leaves, tree_map, tree_unflatten

from purigeom.geometry.dual import elementwise, layers, normalisation, plain, products, shapes
from purigeom.geometry.dual.rows import Rules, aligned

RULES: Rules = {**shapes.RULES, **layers.RULES, **products.RULES, **elementwise.RULES, **normalisation.RULES}

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
        inplace = kwargs.pop("inplace", False)
        if function in plain.DESCRIPTIONS:
            with torch._C.DisableTorchFunctionSubclass():
                return function(*args, **kwargs)
        if function in plain.VALUES or (function in plain.AFTER_ANOTHER and not isinstance(args[0], Dual)):
            return function(*tree_map(_value, args), **tree_map(_value, kwargs))
        if function is Tensor.__setitem__:
            return _set_item(*args)
        if inplace:
            return _changed_in_place(function, function, args, kwargs)
        name = getattr(function, "__name__", "")
        if name in _TWINS or (name.endswith("_") and not name.endswith("__")):
            twin = _TWINS.get(name) or getattr(Tensor, name[:-1], None)
            return _changed_in_place(function, twin, args, kwargs)
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
        counter[way, getattr(function, "__name__", repr(function))] += 1
    if answer is NotImplemented:
        return _by_jvp(function, args, kwargs)
    if isinstance(answer, tuple | list):
        return type(answer)(_dual(stack) for stack in answer)
    return _dual(answer)


def _dual(stack: Tensor) -> Tensor:
    """Return a stack as a dual; whole numbers have no tangents."""
    if isinstance(stack, Dual):
        return stack
    return Dual(stack) if stack.is_floating_point() else stack[0]


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
        return tuple(leaf for leaf in tree_leaves(call(*numbers)) if _is_float(leaf))

    with sdpa_kernel(SDPBackend.MATH):
        answer, answer_shape = tree_flatten(call(*values))
        _refuse_views(function, answer, values)
        if not any(_is_float(leaf) for leaf in answer):
            return tree_unflatten(answer, answer_shape)
        tangents = tuple(leaves[place].stack[1:] for place in places)
        along = iter(vmap(lambda *rows: jvp(floats, values, rows)[1])(*tangents))
    duals = [Dual(torch.cat([leaf[None], next(along)])) if _is_float(leaf) else leaf for leaf in answer]
    return tree_unflatten(duals, answer_shape)


def _refuse_views(function: Callable[..., Any], answer: list[Any], values: tuple[Tensor, ...]) -> None:
    """Refuse a view that would become a copy: a later change in place could then be missed."""
    places = {value.untyped_storage().data_ptr() for value in values}
    if any(isinstance(leaf, Tensor) and leaf.untyped_storage().data_ptr() in places for leaf in answer):
        msg = f"{getattr(function, '__name__', function)} returns a view and has no rule"
        raise StackError(msg)


def _is_float(leaf: Any) -> bool:
    return isinstance(leaf, Tensor) and leaf.is_floating_point()


def _changed_in_place(
    function: Callable[..., Any], twin: Callable[..., Any] | None, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Compute the new numbers by a twin that changes nothing, then write them where views see them."""
    target = args[0]
    if not isinstance(target, Dual) or twin is None:
        lack = "has no twin that does not" if isinstance(target, Dual) else "writes tangents into a tensor without"
        msg = f"{function.__name__} changes its tensor in place and {lack}"
        raise StackError(msg)
    _write(target.stack, twin(*args, **kwargs))
    return target


def _write(stack: Tensor, answer: Tensor) -> None:
    if isinstance(answer, Dual):
        stack.copy_(aligned(answer.stack, stack.dim() - 1))
    else:
        stack.zero_()
        stack[0] = answer


def _set_item(target: Any, index: Any, item: Any) -> None:
    place = shapes.shifted_index(index)
    if not isinstance(target, Dual) or place is NotImplemented:
        msg = "__setitem__ writes numbers with tangents into a tensor without, or at several index arrays"
        raise StackError(msg)
    if isinstance(item, Dual):
        target.stack[place] = item.stack
    else:
        target.stack[place] = 0
        target.stack[0][index] = item


_TWINS: Mapping[str, Callable[..., Any]] = {
    "__iadd__": Tensor.add,
    "__isub__": Tensor.sub,
    "__imul__": Tensor.mul,
    "__itruediv__": Tensor.div,
    "__ipow__": Tensor.pow,
    "zero_": torch.zeros_like,
    "fill_": torch.full_like,
    "copy_": lambda target, source, *_: source.to(target.dtype),
}
"""Functions that change a tensor in place, and their twins that do not, where the name does not tell."""
