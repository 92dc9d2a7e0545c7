"""Our attacks beside those of installed libraries, on one pinned defence that they see as an ordinary module."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.clock import compute_seconds, conditions, one_thread, peak_growth
from benchmarks.figure import Figure, at_most, in_fresh_process, median_ratio
from benchmarks.gradient import MEBIBYTE
from purigeom.attacks.adversary import Attack
from purigeom.attacks.apgd import APGD
from purigeom.attacks.mi_fgsm import MIFGSM
from purigeom.attacks.pgd import PGD
from purigeom.catalog import CLASSIFIERS, DIGITS_UNET
from purigeom.defence.defended import Defended
from purigeom.defence.gradients import Exact, FullGraph, Gradient
from purigeom.defence.judge import correct
from purigeom.defence.knowledge import Fixed
from purigeom.defence.module import as_module
from purigeom.defence.target import Target
from purigeom.images import Digits
from purigeom.noise import Noise
from purigeom.protocols import Batch
from purigeom.purifiers.diffusion.ddim import OneShot
from purigeom.purifiers.diffusion.ddpm import DDPM

RADIUS = 0.15
STEP = 0.015


@dataclass(frozen=True)
class Pair:
    """An attack of ours and its peer's name and settings in torchattacks."""

    attack: Attack
    name: str
    settings: Mapping[str, Any]


PAIRS: Mapping[str, Pair] = {
    "pgd": Pair(PGD(40, relative_step=STEP / RADIUS, iterate="last"), "PGD", {"steps": 40, "alpha": STEP}),
    "mi-fgsm": Pair(MIFGSM(10), "MIFGSM", {"steps": 10, "alpha": STEP}),
    "apgd-ce": Pair(APGD(100), "APGD", {"steps": 100}),
}


class MissingPeerError(ImportError):
    """Raised where a figure needs a package that is not installed."""


def torchattacks(name: str, model: nn.Module, **settings: Any) -> Callable[[Tensor, Tensor], Tensor]:
    """Return an attack of torchattacks; raise where it is not installed."""
    if find_spec("torchattacks") is None:
        msg = "This figure compares with torchattacks, which is not installed: pip install --no-deps torchattacks."
        raise MissingPeerError(msg)
    attack: Callable[[Tensor, Tensor], Tensor] = getattr(import_module("torchattacks"), name)(model, **settings)
    return attack


def target_of(defence: Defended, batch: Batch, gradient: Gradient = Exact()) -> Target:
    """Return what an attacker asks who knows the configuration."""
    noise = Noise(0, batch.image_ids)
    return Target(defence, noise.child("configuration"), noise.child("attacker"), Fixed(), gradient)


def robust_accuracy_gap(kind: str, images: int = 128) -> Figure:
    """Attack with ours and with theirs, and judge both."""
    pair, batch = PAIRS[kind], Digits()[:images].load()
    defence = Defended(OneShot(DIGITS_UNET, depth=100), CLASSIFIERS["digits"])
    target = target_of(defence, batch)
    attack = torchattacks(pair.name, as_module(target, batch, RADIUS), eps=RADIUS, **pair.settings)
    assert batch.labels is not None
    ours = pair.attack(target, batch, Noise(0, batch.image_ids).child("search"), RADIUS)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        theirs = attack(batch.images, batch.labels)
    one, other = (
        100 * float(correct(defence, found, batch.labels, target.configuration).double().mean())
        for found in (ours, theirs)
    )
    how = (
        f"robust accuracy, in points, of {pair.attack!r} less torchattacks' {pair.name} with {dict(pair.settings)}: "
        f"{one:.2f} less {other:.2f}, absolute; {images} digits (one is {100 / images:.2f} points), radius {RADIUS}, "
        "one pinned configuration of OneShot at depth 100 before 'digits-classifier', known to both"
    )
    return at_most(f"robust_accuracy_gap.{kind}", abs(one - other), 1, how)


def pgd_time_vs_torchattacks(images: int = 64, steps: int = 20, repeats: int = 5) -> Figure:
    """Run the same walk over exact gradients, and theirs over autograd's graph of the whole chain."""
    with one_thread():
        ratio = median_ratio(ours(images, steps), theirs(images, steps), repeats, compute_seconds)
        how = (
            f"our PGD-{steps} by store and replay, over torchattacks' on the graph of all steps; {_case(images)}; "
            f"{conditions()}; median of {repeats} pairs in turns"
        )
    return at_most("pgd_time_vs_torchattacks", ratio, 1.6, how)


def pgd_memory_vs_torchattacks(images: int = 64, steps: int = 2) -> Figure:
    """Take the peaks of the same two walks, which more steps of the walk do not raise."""
    one, other = (in_fresh_process(walk_peak, which, images, steps) for which in ("ours", "theirs"))
    how = (
        f"peak memory of our PGD over torchattacks' on the graph of all steps: {one / MEBIBYTE:.0f} over "
        f"{other / MEBIBYTE:.0f} MiB; {_case(images)}; less the level just before, after a warm-up with one image, "
        "fresh processes, one thread of torch"
    )
    return at_most("pgd_memory_vs_torchattacks", one / other, 0.2, how)


def walk_peak(which: str, images: int, steps: int) -> int:
    """Return the peak memory of one of the two walks."""
    walk = {"ours": ours, "theirs": theirs}[which]
    with one_thread():
        walk(1, 1)()
        return peak_growth(walk(images, steps))


def ours(images: int, steps: int) -> Callable[[], Tensor]:
    """Return our walk."""
    batch = Digits()[:images].load()
    target, noise = target_of(_chain(), batch), Noise(0, batch.image_ids)
    attack = PGD(steps, relative_step=STEP / RADIUS, iterate="last")
    return lambda: attack(target, batch, noise.child("search"), RADIUS)


def theirs(images: int, steps: int) -> Callable[[], Tensor]:
    """Return their walk, on a module that keeps the graph of all steps."""
    batch = Digits()[:images].load()
    module = as_module(target_of(_chain(), batch, FullGraph()), batch, RADIUS)
    attack = torchattacks("PGD", module, eps=RADIUS, alpha=STEP, steps=steps)
    assert batch.labels is not None
    labels = batch.labels
    return lambda: attack(batch.images, labels)


def _chain() -> Defended:
    return Defended(DDPM(DIGITS_UNET, depth=100, steps=50), CLASSIFIERS["digits"])


def _case(images: int) -> str:
    return f"{images} digits, DDPM at depth 100 and 50 steps with 'digits-ddpm', before 'digits-classifier'"
