"""What the gradient that an attacker takes costs, in time and in memory."""

import statistics
from collections.abc import Callable, Sequence
from functools import partial

import torch

from benchmarks.clock import compute_seconds, conditions, device, one_thread, peak_growth
from benchmarks.figure import Figure, at_most, in_fresh_process, median_ratio
from benchmarks.gradient import MEBIBYTE, STATE_BYTES
from benchmarks.networks import CIFAR, SMALL, described, random_network
from purigeom.attacks.losses import climbing
from purigeom.catalog import CLASSIFIERS, DIGITS_UNET
from purigeom.defence.defended import Defended
from purigeom.defence.gradients import Exact, FullGraph, Gradient
from purigeom.defence.knowledge import EOT, Fixed, Knowledge
from purigeom.defence.target import Target
from purigeom.images import Digits
from purigeom.networks.unet import UNet
from purigeom.noise import Noise
from purigeom.protocols import Batch, Classifier
from purigeom.purifiers.diffusion.ddpm import DDPM
from purigeom.purifiers.wrapped import wrap

SHAPE = (3, 32, 32)


def brightness() -> Classifier:
    """Return a classifier that costs nothing: its logits are the mean red, green and blue."""
    return wrap(lambda images: images.mean((2, 3)), name="brightness")


def asked(network: UNet, steps: int, batch: int, gradient: Gradient = Exact()) -> tuple[Target, Batch]:
    """Return a target behind a chain of so many steps, and grey images to ask it about."""
    noise = Noise(0, tuple(range(batch)))
    images = torch.full((batch, *SHAPE), 0.5, device=device())
    labels = torch.zeros(batch, dtype=torch.int64, device=device())
    defence = Defended(DDPM(network, depth=max(steps, 100), steps=steps), brightness())
    return Target(defence, noise, noise.child("attacker"), Fixed(), gradient), Batch(images, labels, noise.image_ids)


def exact_gradient_cost(steps: int, batch: int = 2, repeats: int = 3) -> Figure:
    """Take one exact gradient, beside the chain's forward pass."""
    with random_network(SMALL) as network, one_thread():
        target, images = asked(network, steps, batch)
        assert images.labels is not None
        gradient = partial(target.slope, images.images, climbing("ce", images.labels))
        ratio = median_ratio(gradient, partial(target.logits, images.images), repeats, compute_seconds)
        how = (
            f"time of a target's loss and exact gradient over that of its logits, through {steps} steps of DDPM; "
            f"{described(network)}, batch {batch}; {conditions()}; median of {repeats} pairs in turns"
        )
    return at_most(f"exact_gradient_cost.{steps}", ratio, 3.3, how)


def exact_gradient_memory_growth(steps: Sequence[int] = (10, 100), batch: int = 8, repeats: int = 3) -> Figure:
    """Take exact gradients through a short and a long chain."""
    with random_network(SMALL) as network:
        low, high = (_median_peak(network, count, batch, Exact(), repeats) for count in steps)
        how = (
            f"one loss and exact gradient of a target: {low / MEBIBYTE:.0f} and {high / MEBIBYTE:.0f} MiB at "
            f"{steps[0]} and {steps[1]} steps of DDPM, stored states ({_stored(batch, steps)} MiB) included; "
            f"{_peaks(network, batch)}"
        )
    return at_most("exact_gradient_memory_growth", high / low, 1.15, how)


def exact_gradient_memory_vs_full_graph(steps: int = 50, batch: int = 2, repeats: int = 3) -> Figure:
    """Take the same gradient by store and replay, and by autograd's graph of all steps."""
    with random_network(CIFAR) as network:
        ours, theirs = (_median_peak(network, steps, batch, mode, repeats) for mode in (Exact(), FullGraph()))
        how = (
            f"one loss and gradient through {steps} steps of DDPM: {ours / MEBIBYTE:.0f} MiB exact, stored states "
            f"({_stored(batch, [steps])} MiB) included, over {theirs / MEBIBYTE:.0f} MiB with the graph of all steps; "
            f"{_peaks(network, batch)}"
        )
    return at_most(f"exact_gradient_memory_vs_full_graph.{steps}", ours / theirs, 0.1, how)


def gradient_peak(checkpoint: str, steps: int, batch: int, gradient: Gradient) -> int:
    """Return the peak memory of one gradient; one step with one image goes first, so that weights are in memory."""

    def once(count: int, images: int) -> None:
        target, given = asked(UNet(checkpoint), count, images, gradient)
        assert given.labels is not None
        target.slope(given.images, climbing("ce", given.labels))

    with one_thread():
        once(1, 1)
        return peak_growth(lambda: once(steps, batch))


def _median_peak(network: UNet, steps: int, batch: int, gradient: Gradient, repeats: int) -> float:
    peaks = [in_fresh_process(gradient_peak, network.checkpoint, steps, batch, gradient) for _ in range(repeats)]
    return statistics.median(peaks)


def _stored(batch: int, steps: Sequence[int]) -> str:
    return ", ".join(f"{STATE_BYTES * batch * count / MEBIBYTE:.1f}" for count in steps)


def _peaks(network: UNet, batch: int) -> str:
    return (
        f"{described(network)}, batch {batch}, on {device()}, one thread of torch; peak memory less the level just "
        "before the call, after a warm-up, in fresh processes, median of 3"
    )


def eot_batched_time_vs_serial(draws: int = 20, repeats: int = 9) -> Figure:
    """Take the gradient of an expectation over draws in one batch, and draw after draw."""
    batch = Digits()[:1].load()
    assert batch.labels is not None
    loss = climbing("ce", batch.labels)

    def gradient(knowledge: Knowledge, queries: int) -> Callable[[], None]:
        noise = Noise(0, batch.image_ids)
        defence = Defended(DDPM(DIGITS_UNET, depth=100, steps=6), CLASSIFIERS["digits"])
        target = Target(defence, noise, noise.child("attacker"), knowledge)

        def taken() -> None:
            for query in range(queries):
                target.slope(batch.images, loss, query)

        return taken

    with one_thread():
        ratio = median_ratio(gradient(EOT(draws), 1), gradient(EOT(1), draws), repeats, compute_seconds)
        how = (
            f"one gradient of the mean loss over {draws} draws as one batch, over {draws} gradients of one draw each; "
            f"one digit, 'digits-ddpm' at depth 100 and 6 steps before 'digits-classifier'; {conditions()}; median of "
            f"{repeats} pairs in turns"
        )
    return at_most("eot_batched_time_vs_serial", ratio, 0.7, how)
