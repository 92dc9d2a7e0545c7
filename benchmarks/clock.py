"""How the geometry's figures are taken: on which device, by which clock, and above which level of memory."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from benchmarks import figure


def device() -> torch.device:
    """Return the GPU where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def conditions() -> str:
    """Return where and by which clock `compute_seconds` measures."""
    if device().type == "cuda":
        return f"{torch.cuda.get_device_name()}, wall time between synchronisations, without TF32"
    return "CPU seconds of the process on one thread of torch, so that other work on the machine does not count"


def compute_seconds(call: Callable[[], Any]) -> float:
    """Return what one call computes: CPU seconds of this process, or wall time of a GPU that has caught up."""
    if device().type != "cuda":
        started = time.process_time()
        call()
        return time.process_time() - started
    torch.cuda.synchronize()
    return figure.seconds(lambda: (call(), torch.cuda.synchronize()))


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute with one thread; then with as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def peak_growth(call: Callable[[], Any]) -> int:
    """Return how far, in bytes, memory rises during a call above the level just before it, where `device` computes."""
    if device().type != "cuda":
        return figure.peak_growth(call)
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    call()
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() - before
