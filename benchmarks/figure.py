"""One measured number beside its goal, and how time and memory are measured."""

import gc
import json
import math
import multiprocessing
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_RESET_PEAK = "5"
_SAMPLE_SECONDS = 0.0005


@dataclass(frozen=True)
class Figure:
    """A number, the most or the least it may be, and how it came about."""

    figure: str
    value: float | None
    goal: float | None
    holds: bool | None
    how: str


def at_most(name: str, value: float, goal: float | None, how: str) -> Figure:
    """Return a figure that holds where its value is no more than its goal; without a goal it claims nothing."""
    return Figure(name, _rounded(value), goal, None if goal is None or math.isnan(value) else value <= goal, how)


def at_least(name: str, value: float, goal: float | None, how: str) -> Figure:
    """Return a figure, the larger the better, that holds where its value is no less than its goal."""
    return Figure(name, _rounded(value), goal, None if goal is None or math.isnan(value) else value >= goal, how)


def _rounded(value: float) -> float | None:
    """Return a number to five digits; nothing where it is unknown, for which JSON has no number."""
    return None if math.isnan(value) else float(f"{value:.5g}")


def print_line(figure: Figure) -> None:
    """Print a figure as one line of JSON."""
    sys.stdout.write(json.dumps(asdict(figure), ensure_ascii=False) + "\n")
    sys.stdout.flush()


def chosen(names: Sequence[str], figures: Mapping[str, Any]) -> Sequence[str]:
    """Return the names that were asked for, or all; raise KeyError where there is no such figure."""
    unknown = sorted(set(names) - set(figures))
    if unknown:
        msg = f"There is no figure {unknown[0]!r}; there are {list(figures)}."
        raise KeyError(msg)
    return names or tuple(figures)


def machine() -> str:
    """Return how many threads torch computes with, and how busy the machine is: work of others slows ours."""
    return f"{torch.get_num_threads()} CPU threads at a load of {os.getloadavg()[0]:.1f}"


def seconds(call: Callable[[], Any]) -> float:
    """Return the wall time of one call."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def median_seconds(call: Callable[[], Any], repeats: int) -> float:
    """Return the median wall time of several calls."""
    return statistics.median(seconds(call) for _ in range(repeats))


def median_ratio(
    call: Callable[[], Any], other: Callable[[], Any], repeats: int, clock: Callable[..., float] = seconds
) -> float:
    """Return the median over pairs of the time of `call` over that of `other`, run in turns after a warm-up."""
    call()
    other()
    return statistics.median(_ratio(call, other, place, clock) for place in range(repeats))


def _ratio(call: Callable[[], Any], other: Callable[[], Any], place: int, clock: Callable[..., float]) -> float:
    """Time one pair; every second pair the other way round, so that neither always follows a warm cache."""
    if place % 2:
        below = clock(other)
        return clock(call) / below
    return clock(call) / clock(other)


def in_fresh_process(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return what an importable function returns in a process that has done nothing else."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=context) as process:
        return process.submit(function, *arguments).result()


def peak_growth(call: Callable[[], Any]) -> int:
    """Return how far, in bytes, resident memory rises during a call above the level just before it.

    Only in a fresh process is it the call's own: what an earlier call has freed but kept would be reused.
    """
    gc.collect()
    with _peak() as peak:
        before = _resident()
        call()
        return peak() - before


@contextmanager
def _peak() -> Iterator[Callable[[], int]]:
    """Yield the peak of resident memory since now: the kernel's where it can be reset, else a sampled one."""
    try:
        _CLEAR.write_text(_RESET_PEAK)
    except OSError:
        with _sampled_peak() as peak:
            yield peak
    else:
        yield lambda: _status("VmHWM:")


@contextmanager
def _sampled_peak() -> Iterator[Callable[[], int]]:
    done, levels = threading.Event(), [_resident()]

    def watch() -> None:
        while not done.wait(_SAMPLE_SECONDS):
            levels[0] = max(levels[0], _resident())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield lambda: max(levels[0], _resident())
    finally:
        done.set()
        watcher.join()


def _resident() -> int:
    if _STATUS.exists():
        return _status("VmRSS:")
    import psutil

    return int(psutil.Process().memory_info().rss)


def _status(field: str) -> int:
    """Return a field of this process's status, which Linux gives in kB, in bytes."""
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024
