"""The energies, the score and the velocities that purifiers follow: how those for digits are trained."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
from purigeom.training.descent import QUIETLY, Run
from purigeom.training.energy import contrastive
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


def _energy(target: Path, subject: Subject, plan: FieldPlan, run: Run) -> None:
    saved(target, contrastive(subject.train.images, plan.settings, plan.recipe, run=run), plan.settings)


def _score(target: Path, subject: Subject, plan: FieldPlan, run: Run) -> None:
    saved(target, denoising_score(subject.train.images, plan.settings, plan.recipe, run=run), plan.settings)


def _flow(target: Path, subject: Subject, plan: FieldPlan, run: Run, *, source: Source) -> None:
    velocity_saved(target, flow(subject.pairs(), plan.settings, plan.recipe, source, run))


ATTACKED, NOISED = Source("attacked"), Source("noised")


def _adp(checkpoint: str) -> RandomMap:
    return ADP(ScoreNetwork(checkpoint))


def _langevin(checkpoint: str) -> RandomMap:
    """Return a purifier that goes as far as 180 steps of the published size, at the same temperature."""
    return LangevinEBM(EnergyNetwork(checkpoint), steps=20, step=9.0, deviation=0.03)


def _following(sigma: float = 0.0) -> Callable[[str], RandomMap]:
    return lambda checkpoint: FlowMatching(Velocity(checkpoint), steps=5, sigma=sigma)


def _unet(size: int, channels: int, widths: tuple[int, ...]) -> dict[str, Any]:
    return {
        "sample_size": size,
        "in_channels": channels,
        "out_channels": channels,
        "layers_per_block": 1,
        "block_out_channels": widths,
        "down_block_types": ("DownBlock2D",) * len(widths),
        "up_block_types": ("UpBlock2D",) * len(widths),
        "add_attention": False,
        "norm_num_groups": 8,
    }


def _plans(
    shape: Mapping[str, Any], energy: Mapping[str, Any], width: int, unet: Mapping[str, Any]
) -> dict[str, FieldPlan]:
    attacked, noised = (partial(_flow, source=source) for source in (ATTACKED, NOISED))
    smooth = {**shape, **energy, "activation": "silu"}
    published = {**smooth, "activation": "leaky relu"}
    contrast, matching = Recipe(800, 1e-3), Recipe(3000, 2e-3)
    return {
        "energy": FieldPlan(_energy, smooth, contrast, _langevin),
        "energy-published": FieldPlan(_energy, published, contrast, _langevin),
        "score": FieldPlan(_score, {**shape, "width": width, "blocks": 4}, matching, _adp),
        "flow": FieldPlan(attacked, unet, matching, _following()),
        "flow-noised": FieldPlan(noised, unet, matching, _following(NOISED.sigma)),
    }


FIELD_PLANS: Mapping[str, Mapping[str, FieldPlan]] = {
    "digits": _plans({"channels": 1, "size": 8}, {"widths": [32, 48, 64]}, 40, _unet(8, 1, (16, 32))),
}
"""By images and name; a few minutes of one core each. Shipped are the energy, the score and the flow from attacks."""
