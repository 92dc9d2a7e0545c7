"""How the memory of products grows with the number of a chain's steps."""

import statistics
from collections.abc import Sequence

import torch

from benchmarks.clock import device, one_thread, peak_growth
from benchmarks.figure import Figure, at_most, in_fresh_process
from benchmarks.gradient import MEBIBYTE, STATE_BYTES
from benchmarks.networks import LEAN, described, random_network
from purigeom.geometry.jacobian import Jacobian
from purigeom.geometry.matrices import normal_vectors
from purigeom.networks.unet import UNet
from purigeom.noise import Noise
from purigeom.purifiers.diffusion.ddpm import DDPM


def chain_memory_growth(steps: Sequence[int] = (10, 100), batch: int = 2, vectors: int = 8, repeats: int = 3) -> Figure:
    """Push and pull along a short and a long chain of the leanest network, beside which states weigh most."""
    with random_network(LEAN) as network:
        low, high = (
            statistics.median(
                in_fresh_process(products_peak, network.checkpoint, count, batch, vectors) for _ in range(repeats)
            )
            for count in steps
        )
        stored = ", ".join(f"{STATE_BYTES * batch * count / MEBIBYTE:.1f}" for count in steps)
        how = (
            f"one push and one pull of {vectors} vectors: {low / MEBIBYTE:.0f} and {high / MEBIBYTE:.0f} MiB at "
            f"{steps[0]} and {steps[1]} steps of DDPM, stored states ({stored} MiB) included; {described(network)}, "
            f"batch {batch}, on {device()}, one thread of torch; peak memory less the level just before the call, "
            f"after a warm-up, in fresh processes, median of {repeats}"
        )
    return at_most("chain_memory_growth", high / low, 1.1, how)


def products_peak(checkpoint: str, steps: int, batch: int, vectors: int) -> int:
    """Return the peak memory of a push and a pull, states and all.

    One step with one image and one vector goes first, so that libraries and weights are in memory.
    """
    network = UNet(checkpoint)

    def products(count: int, batch: int, vectors: int) -> None:
        noise = Noise(0, tuple(range(batch)))
        images = torch.full((batch, 3, 32, 32), 0.5, device=device())
        jacobian = Jacobian(DDPM(network, depth=count).pin(noise, tuple(images.shape[1:])), images)
        drawn = normal_vectors(jacobian, noise, vectors)
        jacobian.pull(jacobian.push(drawn))

    with one_thread():
        products(1, 1, 1)
        return peak_growth(lambda: products(steps, batch, vectors))
