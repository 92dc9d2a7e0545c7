"""PGD with EOT through the graph of all steps, as Lee and Kim publish it, beside ours: same network, same work."""

import importlib.util
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from benchmarks.attack_gradients import brightness
from benchmarks.cifar_cases import DEPTH, RADIUS, WAYS, Case, NotHereError, grey
from benchmarks.clock import compute_seconds, conditions, device, one_thread, peak_growth
from benchmarks.figure import Figure, at_least, in_fresh_process, median_ratio
from benchmarks.gradient import MEBIBYTE
from purigeom.attacks.pgd import PGD
from purigeom.defence.defended import Defended
from purigeom.defence.knowledge import EOT
from purigeom.defence.target import Target
from purigeom.networks.unet import UNet
from purigeom.noise import Noise
from purigeom.protocols import Batch
from purigeom.purifiers.diffusion.ddpm import DDPM
from purigeom.purifiers.diffusion.process import respaced

VARIABLE = "PURIGEOM_PEERS"
REPOSITORY = "robust-evaluation-of-diffusion-based-purification"
STEP = 0.007


@dataclass(frozen=True)
class Walk:
    """How much both attack: images, steps of the purifier, steps of the walk and draws of each."""

    images: int = 2
    steps: int = 10
    walked: int = 2
    draws: int = 2


WALK = Walk()


def checkout() -> Path:
    """Return where the published code lies; raise where no checkout is named."""
    named = os.environ.get(VARIABLE)
    if named and (Path(named) / REPOSITORY / "purification.py").is_file():
        return Path(named) / REPOSITORY
    msg = (
        f"It needs a checkout of github.com/ml-postech/{REPOSITORY} in a folder that {VARIABLE} names, under its own "
        f"name; {VARIABLE} is {'not set' if not named else f'{named!r}, which holds none'}."
    )
    raise NotHereError(msg)


def full_graph_pgd_time(case: Case, walk: Walk = WALK) -> Figure:
    """Walk as long as they do, in turns."""
    checkout()
    with one_thread():
        pair = theirs(case.network, walk), ours(case.network, walk)
        ratio = median_ratio(*pair, case.size.repeats, compute_seconds)
        how = f"time of their PGD over ours, larger is better; {_said(case, walk)}; median of {case.size.repeats} pairs"
    return at_least("full_graph_pgd_time.lee-kim", ratio, None, how)


def full_graph_pgd_memory(case: Case, walk: Walk = WALK) -> Figure:
    """Take the peaks of both walks."""
    checkout()
    one, other = (in_fresh_process(walk_peak, which, case.network.checkpoint, walk) for which in WALKS)
    how = (
        f"peak memory of their PGD over ours, larger is better: {one / MEBIBYTE:.0f} over {other / MEBIBYTE:.0f} MiB, "
        f"less the level just before, after a warm-up with one image and step, in fresh processes; {_said(case, walk)}"
    )
    return at_least("full_graph_pgd_memory.lee-kim", one / other, None, how)


def theirs(network: UNet, walk: Walk) -> Callable[[], Tensor]:
    """Return their walk, on their purifier around our network."""
    module, batch = network.module(device(), torch.float32), grey(walk.images)
    levels = [level for level, _ in respaced(DEPTH, walk.steps)][::-1]
    defence = _published("purification").PurificationForward(
        brightness().load(), lambda x, t: module(x, t).sample, [DEPTH - 1], [levels], "ddpm", False, device()
    )
    attack = _published("attacks/pgd_eot").PGD(defence, walk.walked, RADIUS, STEP, eot=walk.draws)
    labels = torch.zeros(walk.images, dtype=torch.int64, device=device())
    return lambda: attack(batch.images, labels)


def ours(network: UNet, walk: Walk) -> Callable[[], Tensor]:
    """Return the same walk over exact gradients by store and replay."""
    images = grey(walk.images).images
    batch = Batch(images, torch.zeros(walk.images, dtype=torch.int64, device=device()), tuple(range(walk.images)))
    noise = Noise(0, batch.image_ids)
    defence = Defended(DDPM(network, DEPTH, walk.steps, clip=False), brightness())
    target = Target(defence, noise, noise.child("attacker"), EOT(walk.draws))
    attack = PGD(walk.walked, relative_step=STEP / RADIUS, random_start=False, iterate="last")
    return lambda: attack(target, batch, noise.child("search"), RADIUS)


WALKS: dict[str, Callable[[UNet, Walk], Callable[[], Tensor]]] = {"theirs": theirs, "ours": ours}


def walk_peak(which: str, checkpoint: str, walk: Walk) -> int:
    """Return the peak memory of one of the two walks."""
    with one_thread():
        WALKS[which](UNet(checkpoint), Walk(1, 1, 1, 1))()
        return peak_growth(WALKS[which](UNet(checkpoint), walk))


def _published(name: str) -> Any:
    """Return a module of the checkout; the two functions it needs of `utils`, which asks for torchvision, are ours."""
    path = checkout() / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"lee_kim_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module, before = importlib.util.module_from_spec(spec), sys.modules.get("utils")
    sys.modules["utils"] = _utils()
    try:
        spec.loader.exec_module(module)
    finally:
        sys.modules.pop("utils")
        if before is not None:
            sys.modules["utils"] = before
    return module


def _utils() -> ModuleType:
    """Return the maps between the range of images and that of states, under the names they are imported by."""
    known = ModuleType("utils")
    known.__dict__.update(
        diff2clf=lambda states: (states + 1) / 2, clf2diff=lambda images: 2 * images - 1, normalize=None
    )
    return known


def _said(case: Case, walk: Walk) -> str:
    return (
        f"both PGD-{walk.walked} with EOT over {walk.draws} draws on {walk.images} images, unclipped DDPM at depth "
        f"{DEPTH} in {walk.steps} steps, before a classifier that costs nothing; theirs: github.com/ml-postech/"
        f"{REPOSITORY}, draw after draw through the graph of all steps, its two helpers for ranges ours; {case.words}, "
        f"{WAYS['full'].words}; {conditions()}"
    )
