"""What a dual number answers as its value alone: descriptions, comparisons, whole numbers, and new constants."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

_PROPERTIES = ("shape", "dtype", "device", "ndim", "layout", "is_cuda", "is_cpu", "is_mps", "is_meta", "is_sparse")
_STATES = ("is_quantized", "requires_grad", "is_leaf", "grad_fn", "grad", "itemsize", "nbytes")
_METHODS = (
    "size",
    "dim",
    "numel",
    "nelement",
    "ndimension",
    "is_floating_point",
    "is_complex",
    "element_size",
    "is_contiguous",
    "stride",
    "get_device",
    "is_inference",
    "__len__",
    "__hash__",
)
_COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge", "isnan", "isinf", "isfinite", "isclose", "allclose", "equal")
_CONSTANTS = ("argmax", "argmin", "argsort", "sign", "round", "floor", "ceil", "trunc", "signbit", "count_nonzero")
_LIKE = ("zeros_like", "ones_like", "full_like", "empty_like")
_OPERATORS = (
    "__eq__",
    "__ne__",
    "__lt__",
    "__le__",
    "__gt__",
    "__ge__",
    "__bool__",
    "__float__",
    "__int__",
    "__index__",
)
_NUMBERS = ("item", "tolist", "new_zeros", "new_ones", "new_full", "new_tensor", "new_empty")
_WHOLE = ("long", "int", "short", "byte", "bool", "__floordiv__", "__format__", "any", "all")


def getter(name: str) -> Callable[..., Any]:
    """Return the function that torch calls for a property of a tensor."""
    return getattr(Tensor, name).__get__


def _found(names: tuple[str, ...]) -> set[Callable[..., Any]]:
    owners = (torch, Tensor)
    return {getattr(owner, name) for name in names for owner in owners if hasattr(owner, name)}


DESCRIPTIONS: frozenset[Any] = frozenset(
    {getter(name) for name in (*_PROPERTIES, *_STATES)}
    | {getattr(Tensor, name) for name in _METHODS}
    | {torch.numel, torch.is_floating_point, torch.is_complex}
)
"""What a dual knows of itself without looking at a number."""

VALUES: frozenset[Any] = frozenset(
    _found((*_COMPARISONS, *_CONSTANTS, *_LIKE)) | {getattr(Tensor, name) for name in (*_OPERATORS, *_NUMBERS, *_WHOLE)}
)
"""Functions whose slope is zero wherever they have one, or that ask for single numbers."""

AFTER_ANOTHER: frozenset[Any] = frozenset(
    {Tensor.to, Tensor.type_as, Tensor.expand_as, Tensor.view_as, Tensor.reshape_as}
)
"""Methods that ask only for the type or shape of their argument."""
