"""What measuring compression costs beside the network calls that it cannot do without."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.figure import Figure, at_most, machine, median_ratio
from benchmarks.networks import LEAN, described, random_network
from purigeom.measurements.compression import Compression
from purigeom.noise import Noise
from purigeom.protocols import Batch
from purigeom.purifiers.diffusion.ddpm import DDPM


def compression_overhead(batch: int = 64, steps: int = 2, probes: int = 4, repeats: int = 15) -> Figure:
    """Measure compression on a lean network, where everything else weighs most."""
    images = torch.rand(batch, 3, 32, 32)
    with random_network(LEAN) as network:
        purifier = DDPM(network, depth=100, steps=steps)
        module = network.module(images.device, images.dtype)
        measurement = Compression(radii=(8 / 255,), probes=probes)
        whole, noise = Batch(images, None, tuple(range(batch))), Noise(0, tuple(range(batch)))
        with recorded_calls(module) as calls:
            measurement(purifier, whole, noise)
        _check_needed(calls, batch * steps * (1 + probes))
        value = median_ratio(lambda: measurement(purifier, whole, noise), lambda: _bare(module, calls), repeats)
        how = (
            f"time of {measurement!r} over time of the {len(calls)} calls of the bare network it makes, with the same "
            f"states; DDPM of {steps} steps on {described(network)}, {batch} images in batches of "
            f"{sorted({len(state) for state, *_ in calls})}, {machine()}; median of {repeats} pairs in turns"
        )
    return at_most("compression_overhead", value, 1.10, how)


@contextmanager
def recorded_calls(module: nn.Module) -> Iterator[list[tuple[Any, ...]]]:
    """Yield a list that grows by the arguments of every call of a module."""
    calls: list[tuple[Any, ...]] = []
    handle = module.register_forward_pre_hook(lambda _, arguments: calls.append(arguments))
    try:
        yield calls
    finally:
        handle.remove()


def _check_needed(calls: list[tuple[Any, ...]], needed: int) -> None:
    """Raise where the measurement asks the network more than anchors and probes need."""
    made = sum(len(state) for state, *_ in calls)
    if made != needed:
        msg = f"Compression needs {needed} images through the network; it sent {made}, so the ratio would flatter it."
        raise ValueError(msg)


@torch.no_grad()
def _bare(module: nn.Module, calls: list[tuple[Tensor, float]]) -> None:
    for state, time in calls:
        module(state, time)
