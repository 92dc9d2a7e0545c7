"""What the geometry figures measure products on: chains around random networks, states computed beforehand."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.clock import conditions, device, one_thread
from benchmarks.compression import recorded_calls
from benchmarks.networks import CIFAR, LEAN, described, random_network
from purigeom.geometry.jacobian import Jacobian
from purigeom.geometry.matrices import normal_vectors
from purigeom.noise import Noise
from purigeom.purifiers.diffusion.ddpm import DDPM

ALL_AT_ONCE = 2**34
"""Bytes a product may take: enough for all vectors to travel together, which costs less than in parts."""


@dataclass(frozen=True)
class Setting:
    """A network and the purifier around it; goals are for the published architecture alone."""

    architecture: Mapping[str, Any]
    batch: int
    steps: int
    repeats: int
    has_goals: bool


SETTINGS: Mapping[str, Setting] = {
    "big": Setting(CIFAR, batch=1, steps=2, repeats=5, has_goals=True),
    "lean": Setting(LEAN, batch=4, steps=4, repeats=9, has_goals=False),
}


@dataclass(frozen=True)
class Case:
    """A Jacobian that knows its states, vectors for it, and what its chain asks of the network."""

    jacobian: Jacobian
    vectors: Tensor
    module: nn.Module
    calls: list[tuple[Any, ...]]
    how: str

    @torch.no_grad()
    def bare(self, rounds: int) -> None:
        """Call the network, and nothing else, with the states of the chain, so many times over."""
        for _ in range(rounds):
            for state, time in self.calls:
                self.module(state, time)


@contextmanager
def prepared(setting: Setting, count: int) -> Iterator[Case]:
    """Yield what to time `count` vectors on, on one thread of torch."""
    batch = setting.batch
    with one_thread(), random_network(setting.architecture) as network:
        purifier, noise = DDPM(network, depth=100, steps=setting.steps), Noise(0, tuple(range(batch)))
        size = setting.architecture["sample_size"]
        images = (0.5 + 0.5 * noise.child("images").uniform_like(torch.zeros(batch, 3, size, size))).to(device())
        jacobian = Jacobian(purifier.pin(noise, tuple(images.shape[1:])), images, ALL_AT_ONCE)
        module = network.module(images.device, images.dtype)
        with recorded_calls(module) as calls:
            assert jacobian.states
        how = (
            f"{described(network)}, DDPM of {setting.steps} steps, batch {batch}, the chain's states computed "
            f"beforehand, all vectors at once; {conditions()}"
        )
        yield Case(jacobian, normal_vectors(jacobian, noise, count), module, calls, how)
