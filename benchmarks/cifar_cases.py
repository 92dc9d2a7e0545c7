"""What the figures of CIFAR-10 sizes are taken on: a network, how it computes, and how much is asked of it."""

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.clock import device
from benchmarks.networks import CIFAR, described, random_network
from purigeom.networks.diffusion.predictor import NoisePredictor
from purigeom.networks.files import folder
from purigeom.networks.quick import Quick
from purigeom.networks.unet import UNet
from purigeom.noise import Noise
from purigeom.protocols import Batch
from purigeom.purifiers.diffusion.ddpm import DDPM
from purigeom.training.cifar import LEAN

SHAPE = (3, 32, 32)
DEPTH = 100
RADIUS = 8 / 255
TRAINED = "cifar10-ddpm"


class NotHereError(LookupError):
    """Raised where a figure needs images, networks or published code that this machine lacks."""


@dataclass(frozen=True)
class Way:
    """How a network computes: the type and layout of the bare module, and the same for a purifier."""

    dtype: torch.dtype
    layout: torch.memory_format
    predictor: Callable[[UNet], NoisePredictor] = field(repr=False)
    words: str


WAYS: Mapping[str, Way] = {
    "full": Way(torch.float32, torch.contiguous_format, lambda network: network, "float32"),
    "channels_last": Way(
        torch.float32, torch.channels_last, lambda network: Quick(network, "full"), "float32, channels last"
    ),
    "bfloat16": Way(torch.bfloat16, torch.channels_last, Quick, "bfloat16, channels last"),
}
PRECISIONS = ("full", "bfloat16")


@dataclass(frozen=True)
class Size:
    """How much is measured, and the batches among which the bare network's best is sought."""

    images: int
    steps: int
    probes: int = 50
    vectors: int = 32
    repeats: int = 3
    batches: tuple[int, ...] = (1, 4, 8, 16, 32, 64, 128, 256)


SIZES: Mapping[str, Size] = {
    "cpu": Size(images=4, steps=2),
    "cuda": Size(images=64, steps=20, repeats=5, batches=(16, 64, 128, 256, 512, 1024, 2048)),
}
"""By the type of the device."""


@dataclass(frozen=True)
class Case:
    """A network, what it is in words, and how much to ask of it."""

    network: UNet
    words: str
    size: Size

    def purifier(self, way: str, steps: int) -> DDPM:
        """Return the purifier around the network."""
        return DDPM(WAYS[way].predictor(self.network), depth=DEPTH, steps=steps)


@contextmanager
def ours() -> Iterator[tuple[UNet, str]]:
    """Yield the repository's network, or one of its architecture with random weights where it is not here."""
    if here(TRAINED):
        network = UNet(TRAINED)
        yield network, described(network).replace("random weights", f"trained weights, {TRAINED!r}")
    else:
        with random_network(LEAN) as network:
            yield network, described(network)


def here(checkpoint: str) -> bool:
    """Return whether a checkpoint with a name is on this machine."""
    try:
        folder(checkpoint)
    except FileNotFoundError:
        return False
    return True


@contextmanager
def published() -> Iterator[tuple[UNet, str]]:
    """Yield the architecture of google/ddpm-cifar10-32."""
    with random_network(CIFAR) as network:
        yield network, described(network)


NETWORKS = {"ours": ours, "published": published}


@contextmanager
def case(name: str, size: Size | None = None) -> Iterator[Case]:
    """Yield a network by its name in `NETWORKS`, with the size that suits the device unless another is given."""
    with NETWORKS[name]() as (network, words):
        yield Case(network, words, size or SIZES[device().type])


def bare(network: UNet, way: str) -> nn.Module:
    """Return the network and nothing around it, as it computes in one way."""
    place: Any = nn.Module.to  # torch's types know no memory format here
    module: nn.Module = copy.deepcopy(network.module(device(), WAYS[way].dtype))
    return place(module, memory_format=WAYS[way].layout)


def bare_states(batch: int, way: str) -> Tensor:
    """Return states as the bare network likes them."""
    states = Noise(0, tuple(range(batch))).normal_like(torch.empty(batch, *SHAPE))
    return states.to(device(), WAYS[way].dtype).contiguous(memory_format=WAYS[way].layout)


def grey(count: int) -> Batch:
    """Return images where only time and memory are asked for, which do not depend on what they show."""
    return Batch(torch.full((count, *SHAPE), 0.5, device=device()), None, tuple(range(count)))
