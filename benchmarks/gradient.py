"""How the memory of a gradient through a pinned purifier grows with its number of steps."""

import statistics
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from benchmarks.figure import Figure, at_most, in_fresh_process, machine, peak_growth
from benchmarks.networks import SMALL, described, random_network
from purigeom.geometry.chain import Chain
from purigeom.networks.unet import UNet
from purigeom.noise import Noise
from purigeom.purifiers.diffusion.ddpm import DDPM

MEBIBYTE = 2**20
STATE_BYTES = 3 * 32 * 32 * 4


def gradient_memory_growth(steps: Sequence[int] = (10, 100), batch: int = 8, repeats: int = 3) -> Figure:
    """Differentiate a short and a long chain exactly, one step in memory at a time."""
    value, how = _growth(chain_gradient_peak, steps, batch, repeats)
    return at_most("gradient_memory_growth", value, 1.15, f"exact gradient of the pinned chain: {how}")


def gradient_memory_growth_full_graph(steps: Sequence[int] = (10, 20), batch: int = 8, repeats: int = 1) -> Figure:
    """Differentiate chains with the graph of all steps, for contrast."""
    value, how = _growth(full_graph_peak, steps, batch, repeats)
    name = "gradient_memory_growth_full_graph"
    return at_most(name, value, None, f"for contrast and at fewer steps, autograd's graph of all steps: {how}")


def _growth(peak: Callable[[str, int, int], int], steps: Sequence[int], batch: int, repeats: int) -> tuple[float, str]:
    """Return the ratio of the peaks at the longer and the shorter chain, and how it was taken."""
    with random_network(SMALL) as network:
        low, high = (
            statistics.median(in_fresh_process(peak, network.checkpoint, count, batch) for _ in range(repeats))
            for count in steps
        )
        stored = ", ".join(f"{STATE_BYTES * batch * count / MEBIBYTE:.1f}" for count in steps)
        how = (
            f"{low / MEBIBYTE:.0f} and {high / MEBIBYTE:.0f} MiB at {steps[0]} and {steps[1]} steps of DDPM, stored "
            f"states ({stored} MiB) included; {described(network)}, batch {batch}, {machine()}; peak resident memory "
            f"less the level just before the call, in fresh processes, median of {repeats}"
        )
    return high / low, how


def chain_gradient_peak(checkpoint: str, steps: int, batch: int) -> int:
    """Return the peak memory of an exact gradient as every attack takes it."""
    return _gradient_peak(checkpoint, steps, batch, lambda chain, images: chain(images))


def full_graph_peak(checkpoint: str, steps: int, batch: int) -> int:
    """Return the peak memory of the same gradient when autograd keeps every step."""
    return _gradient_peak(checkpoint, steps, batch, _unrolled)


def _unrolled(chain: Chain, images: Tensor) -> Tensor:
    return chain.states(images)[-1]


def _gradient_peak(checkpoint: str, steps: int, batch: int, forward: Callable[[Chain, Tensor], Tensor]) -> int:
    """Warm up with one image and one step, so that libraries and weights are in memory; then measure."""
    network = UNet(checkpoint)

    def gradient(count: int, images: Tensor) -> Tensor:
        chain = DDPM(network, depth=count).pin(Noise(0, tuple(range(len(images)))), tuple(images.shape[1:]))
        point = images.requires_grad_()
        return torch.autograd.grad(forward(chain, point).square().sum(), point)[0]

    gradient(1, torch.rand(1, 3, 32, 32))
    images = torch.rand(batch, 3, 32, 32)
    return peak_growth(lambda: gradient(steps, images))
