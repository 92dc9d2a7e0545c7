"""Our attacks beside those of installed libraries, on one pinned defence that they see as an ordinary module."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from torch import Tensor, nn

from benchmarks.clock import compute_seconds, conditions, one_thread, peak_growth
from benchmarks.figure import Figure, at_most, in_fresh_process, median_ratio
from benchmarks.gradient import MEBIBYTE
from purigeom.attacks.pgd import PGD
from purigeom.catalog import CLASSIFIERS, DIGITS_UNET
from purigeom.defence.defended import Defended
from purigeom.defence.gradients import Exact, FullGraph, Gradient
from purigeom.defence.knowledge import Fixed
from purigeom.defence.module import as_module
from purigeom.defence.target import Target
from purigeom.images import Digits
from purigeom.noise import Noise
from purigeom.protocols import Batch
from purigeom.purifiers.diffusion.ddpm import DDPM

RADIUS = 0.15
STEP = 0.015


class MissingPeerError(ImportError):
    """Raised where a figure needs a package that is not installed."""


def check_installed(package: str) -> None:
    """Raise where a package that a figure needs is not installed."""
    if find_spec(package) is None:
        msg = f"This figure needs {package}, which is not installed: pip install --no-deps {package}."
        raise MissingPeerError(msg)


def torchattacks(name: str, model: nn.Module, **settings: Any) -> Callable[[Tensor, Tensor], Tensor]:
    """Return an attack of torchattacks; raise where it is not installed."""
    check_installed("torchattacks")
    attack: Callable[[Tensor, Tensor], Tensor] = getattr(import_module("torchattacks"), name)(model, **settings)
    return attack


def target_of(defence: Defended, batch: Batch, gradient: Gradient = Exact()) -> Target:
    """Return what an attacker asks who knows the configuration."""
    noise = Noise(0, batch.image_ids)
    return Target(defence, noise.child("configuration"), noise.child("attacker"), Fixed(), gradient)


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
