"""What a bare network computes per second at its best batch, and how much of that a measurement keeps."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import TypeAlias

import torch
from torch import Tensor, nn

from benchmarks.cifar_cases import WAYS, Case, bare, bare_states
from benchmarks.clock import compute_seconds, conditions
from benchmarks.figure import machine, median_ratio
from purigeom.geometry.memory import out_of_memory

Ask: TypeAlias = Callable[[nn.Module, Tensor], object]
"""What is asked of a bare network."""

LEVEL = 50
SLOWER = 0.9
"""The search for the best batch ends where a larger one has less than this share of the best throughput."""
CREDIT = 4
"""The bare network computes this part of what a measurement asks of it, and is credited with all."""


@dataclass(frozen=True)
class Best:
    """The batch at which a bare network computes most images per second."""

    batch: int
    per_second: float


@torch.no_grad()
def forward(module: nn.Module, states: Tensor) -> object:
    """Ask for the noise in states."""
    return module(states, LEVEL).sample


def forward_and_pull(module: nn.Module, states: Tensor) -> object:
    """Ask for the noise in states, and for one product with its transposed Jacobian."""
    point = states.detach().requires_grad_()
    noise = module(point, LEVEL).sample
    return torch.autograd.grad(noise, point, torch.ones_like(noise))


@cache
def best(case: Case, way: str, ask: Ask) -> Best:
    """Return the best batch of the bare network; one that memory cannot hold ends the search."""
    module, found = bare(case.network, way), dict[int, float]()
    for batch in case.size.batches:
        try:
            found[batch] = batch / median_seconds(partial(ask, module, bare_states(batch, way)), case.size.repeats)
        except (MemoryError, RuntimeError) as error:
            if not out_of_memory(error) or not found:
                raise
            break
        if found[batch] < SLOWER * max(found.values()):
            break
    batch = max(found, key=found.__getitem__)
    return Best(batch, found[batch])


def median_seconds(call: Callable[[], object], repeats: int) -> float:
    """Return the median time of several calls, after one that warms up."""
    call()
    return statistics.median(compute_seconds(call) for _ in range(repeats))


def share(case: Case, way: str, ask: Ask, call: Callable[[], object], asked: int) -> float:
    """Return the throughput of a call that asks for so many images over the bare network's at its best batch."""
    batch, module = best(case, way, ask).batch, bare(case.network, way)
    states, rounds = bare_states(batch, way), max(1, asked // (CREDIT * batch))

    def alone() -> None:
        for _ in range(rounds):
            ask(module, states)

    return asked / (rounds * batch) / median_ratio(call, alone, case.size.repeats, compute_seconds)


def told(case: Case, way: str, ask: Ask = forward) -> str:
    """Return what computes, how and where, and the bare network's best batch."""
    found = best(case, way, ask)
    return (
        f"bare network at its best batch of {case.size.batches}: {found.batch}, {found.per_second:.4g} images per "
        f"second; {case.words}, {WAYS[way].words}; {conditions()}; {machine()}; median of {case.size.repeats}"
    )
