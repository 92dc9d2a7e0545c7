"""What randomness as a value costs beside the network that uses it."""

import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor

from benchmarks.figure import Figure, at_most, machine, median_seconds
from benchmarks.networks import CIFAR, LEAN, described, random_network
from purigeom.noise import Noise
from purigeom.purifiers.diffusion.ddpm import DDPM


def noise_share(batch: int = 64, steps: int = 2, repeats: int = 5) -> Figure:
    """Purify with the network that most published numbers are about."""
    value, how = _share(CIFAR, batch, steps, repeats)
    return at_most("noise_share", value, 0.02, f"ddpm-cifar10-32 architecture: {how}")


def noise_share_lean(batch: int = 64, steps: int = 10, repeats: int = 5) -> Figure:
    """Purify with a network so small that noise weighs more."""
    value, how = _share(LEAN, batch, steps, repeats)
    return at_most("noise_share_lean", value, None, f"the digits architecture at 32x32: {how}")


def _share(architecture: Mapping[str, Any], batch: int, steps: int, repeats: int) -> tuple[float, str]:
    """Return the median share of drawing in purifying, and how it was taken."""
    with random_network(architecture) as network:
        images = torch.rand(batch, 3, 32, 32)
        pinned = DDPM(network, depth=100, steps=steps).pin(Noise(0, tuple(range(batch))), (3, 32, 32))
        with torch.no_grad(), timed_draws() as draws:
            pinned(images)
            draws.clear()
            whole = median_seconds(lambda: pinned(images), repeats)
        share = statistics.median(draws) * len(draws) / repeats / whole
        how = (
            f"time in Noise.normal_like over time of the DDPM purification it is part of; {described(network)}, batch "
            f"{batch}, {steps} steps with one draw per network call, {machine()}; medians of {len(draws)} draws and "
            f"{repeats} purifications after a warm-up"
        )
    return share, how


@contextmanager
def timed_draws() -> Iterator[list[float]]:
    """Yield a list that grows by the time of every draw of normals."""
    draws: list[float] = []
    draw = Noise.normal_like

    def timed(noise: Noise, images: Tensor) -> Tensor:
        started = time.perf_counter()
        drawn = draw(noise, images)
        draws.append(time.perf_counter() - started)
        return drawn

    with patch.object(Noise, "normal_like", timed):
        yield draws
