"""How much memory a computation needs, and how to stay within what there is."""

import weakref
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

T = TypeVar("T")

CPU_BUDGET = 2**27
"""Bytes of workspace on a CPU: larger batches no longer fit its caches and are slower."""
GPU_SHARE = 0.5
"""Of a GPU's free memory: torch's own estimate of what is free knows nothing of fragments."""


def default_budget(device: torch.device) -> int:
    """Return how many bytes of workspace a product may take on a device unless it is told."""
    if device.type == "cuda":
        return int(GPU_SHARE * torch.cuda.mem_get_info(device)[0])
    return CPU_BUDGET


def in_parts(compute: Callable[[slice], T], count: int, at_once: int) -> list[T]:
    """Compute part after part of `count` things; where memory runs out, halve the parts and go on.

    Examples
    --------
    >>> in_parts(lambda part: part.stop - part.start, count=5, at_once=2)
    [2, 2, 1]
    """
    answers: list[T] = []
    start = 0
    while start < count:
        part = slice(start, min(start + at_once, count))
        try:
            answers.append(compute(part))
        except (MemoryError, RuntimeError) as error:
            if not out_of_memory(error) or part.stop - part.start == 1:
                raise
            at_once = (part.stop - part.start) // 2
            continue
        start = part.stop
    return answers


def out_of_memory(error: BaseException) -> bool:
    """Return whether an error, or the one it was raised from, says that memory ran out, on a GPU or on the CPU."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error):
        return True
    return error.__cause__ is not None and out_of_memory(error.__cause__)


def peak_bytes(call: Callable[[], T]) -> tuple[T, int]:
    """Return what a call returns, and the most bytes that tensors it made held at one time."""
    with _Ledger() as ledger:
        answer = call()
    return answer, ledger.peak


class _Ledger(TorchDispatchMode):
    """Note every storage that a function makes, until it is freed; the same on every device."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.held: set[int] = set()
        self.bytes = self.peak = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        answer = function(*args, **(kwargs or {}))
        known = {_place(leaf) for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)}
        for leaf in tree_leaves(answer):
            if isinstance(leaf, Tensor) and _place(leaf) not in self.held | known:
                self._note(leaf.untyped_storage())
        return answer

    def _note(self, storage: torch.UntypedStorage) -> None:
        place, size = storage._cdata, storage.nbytes()
        self.held.add(place)
        self.bytes += size
        self.peak = max(self.peak, self.bytes)
        weakref.finalize(storage, self._forget, place, size)

    def _forget(self, place: int, size: int) -> None:
        self.held.discard(place)
        self.bytes -= size


def _place(tensor: Tensor) -> int:
    return tensor.untyped_storage()._cdata
