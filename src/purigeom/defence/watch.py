"""What a function does behind its caller's back: draw from global generators, or turn gradients on."""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode, resolve_name


def generators_moved(call: Callable[[], object]) -> tuple[str, ...]:
    """Return which global generators of random numbers a call drew from.

    Examples
    --------
    >>> generators_moved(lambda: torch.rand(1)), generators_moved(lambda: torch.zeros(1))
    (("torch's",), ())
    """
    before = _states()
    call()
    after = _states()
    return tuple(name for name in before if before[name] != after[name])


def gradients_turned_on(call: Callable[[], object]) -> str:
    """Return the first torch function that a call, made without gradients, ran with gradients; empty where none did.

    Examples
    --------
    >>> gradients_turned_on(lambda: torch.enable_grad()(torch.exp)(torch.zeros(1)))
    'torch.exp'
    """
    with torch.no_grad(), _Watch() as watch:
        call()
    return watch.seen


def _states() -> dict[str, Any]:
    states = {
        "torch's": torch.get_rng_state().numpy().tobytes(),
        "numpy's": repr(np.random.get_state()),
        "Python's": random.getstate(),
    }
    if torch.cuda.is_available():
        states["torch's on the GPU"] = [state.numpy().tobytes() for state in torch.cuda.get_rng_state_all()]
    return states


class _Watch(TorchFunctionMode):
    """Note the first function that runs while gradients are on."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = ""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        answer = function(*args, **(kwargs or {}))
        if not self.seen and torch.is_grad_enabled() and _computes(answer):
            self.seen = resolve_name(function) or getattr(function, "__name__", repr(function))
        return answer


def _computes(answer: Any) -> bool:
    """Return whether a function made tensors, rather than read a flag or a shape."""
    parts = answer if isinstance(answer, tuple | list) else (answer,)
    return any(isinstance(part, Tensor) for part in parts)
