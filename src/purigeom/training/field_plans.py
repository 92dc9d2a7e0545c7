"""The energies, the score and the velocities that purifiers follow: how those for digits and CIFAR-10 are trained."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from purigeom.networks.energy import EnergyNetwork
from purigeom.networks.score import ScoreNetwork
from purigeom.networks.velocity import Velocity
from purigeom.protocols import RandomMap
from purigeom.purifiers.energy.adaptive import ADP
from purigeom.purifiers.energy.langevin import LangevinEBM
from purigeom.purifiers.flow_matching import FlowMatching
from purigeom.training.cifar import CRAFTED_IMAGES, LEAN
from purigeom.training.descent import QUIETLY, Run
from purigeom.training.energy import Contrast, contrastive
from purigeom.training.flow import Source, flow, velocity_saved
from purigeom.training.recipe import Recipe
from purigeom.training.restorer import Subject, worth
from purigeom.training.saving import saved
from purigeom.training.score import denoising_score


@dataclass(frozen=True)
class FieldPlan:
    """What is trained, with which settings, for how long, and the purifier that it becomes."""

    train: Callable[[Path, Subject, "FieldPlan", Run], None]
    settings: Mapping[str, Any]
    recipe: Recipe
    purifier: Callable[[str], RandomMap]


def train_field(target: Path, subject: Subject, plan: FieldPlan, run: Run = QUIETLY) -> dict[str, float]:
    """Train a plan's network, save it and return what the purifier of what was saved is worth."""
    plan.train(target, subject, plan, run)
    return worth(plan.purifier(str(target)), subject)


def _energy(target: Path, subject: Subject, plan: FieldPlan, run: Run, *, contrast: Contrast) -> None:
    saved(target, contrastive(subject.train.images, plan.settings, plan.recipe, contrast, run), plan.settings)


def _score(target: Path, subject: Subject, plan: FieldPlan, run: Run) -> None:
    saved(target, denoising_score(subject.train.images, plan.settings, plan.recipe, run=run), plan.settings)


def _flow(target: Path, subject: Subject, plan: FieldPlan, run: Run, *, source: Source) -> None:
    few = replace(subject, train=subject.train[:CRAFTED_IMAGES])
    velocity_saved(target, flow(few.pairs(), plan.settings, plan.recipe, source, run))


ATTACKED, NOISED = Source("attacked"), Source("noised")
_UNET: Mapping[str, Any] = {
    **LEAN,
    "sample_size": 8,
    "in_channels": 1,
    "out_channels": 1,
    "block_out_channels": (16, 32),
    "down_block_types": ("DownBlock2D",) * 2,
    "up_block_types": ("UpBlock2D",) * 2,
}


def _adp(checkpoint: str) -> RandomMap:
    return ADP(ScoreNetwork(checkpoint))


def _langevin(checkpoint: str) -> RandomMap:
    """Return the purifier as published."""
    return LangevinEBM(EnergyNetwork(checkpoint))


def _strides(checkpoint: str) -> RandomMap:
    """Return a purifier that goes as far as 180 steps of the published size, at the same temperature."""
    return LangevinEBM(EnergyNetwork(checkpoint), steps=20, step=9.0, deviation=0.03)


def _following(steps: int, sigma: float = 0.0) -> Callable[[str], RandomMap]:
    return lambda checkpoint: FlowMatching(Velocity(checkpoint), steps=steps, sigma=sigma)


def _energies(
    settings: Mapping[str, Any], contrast: Contrast, recipe: Recipe, purifier: Callable[[str], RandomMap]
) -> dict[str, FieldPlan]:
    train = partial(_energy, contrast=contrast)
    return {
        "energy": FieldPlan(train, {**settings, "activation": "silu"}, recipe, purifier),
        "energy-published": FieldPlan(train, {**settings, "activation": "leaky relu"}, recipe, purifier),
    }


def _flows(settings: Mapping[str, Any], recipe: Recipe, steps: int) -> dict[str, FieldPlan]:
    attacked, noised = (partial(_flow, source=source) for source in (ATTACKED, NOISED))
    return {
        "flow": FieldPlan(attacked, settings, recipe, _following(steps)),
        "flow-noised": FieldPlan(noised, settings, recipe, _following(steps, NOISED.sigma)),
    }


def _digits() -> dict[str, FieldPlan]:
    shape: dict[str, Any] = {"channels": 1, "size": 8}
    matching = Recipe(3000, 2e-3)
    return {
        **_energies({**shape, "widths": [32, 48, 64]}, Contrast(), Recipe(800, 1e-3), _strides),
        "score": FieldPlan(_score, {**shape, "width": 40, "blocks": 4}, matching, _adp),
        **_flows(_UNET, matching, steps=5),
    }


def _cifar10() -> dict[str, FieldPlan]:
    shape: dict[str, Any] = {"channels": 3, "size": 32}
    contrast, matching = Recipe(20_000, 3e-4, batch=128), Recipe(30_000, 5e-4, batch=128)
    return {
        **_energies({**shape, "widths": [32, 64, 128, 256]}, Contrast(10_000, langevin=50), contrast, _langevin),
        "score": FieldPlan(_score, {**shape, "width": 128, "blocks": 12}, matching, _adp),
        **_flows({**LEAN, "dropout": 0.1}, replace(matching, steps=15_000), steps=10),
    }


FIELD_PLANS: Mapping[str, Mapping[str, FieldPlan]] = {"digits": _digits(), "cifar10": _cifar10()}
"""By images and name. For digits a few minutes of one core each; shipped are the energy, score and flow from attacks.

For CIFAR-10 a GPU. Published are the energy's network with its leaky ReLU, its purifier of 1500 steps at the
temperature that it is trained at, and ADP. Our own are the score's network, every training, and all of the flow: its
network is that of `cifar10-ddpm` with dropout, and it learns from the first images of the train split, attacked once.
"""
