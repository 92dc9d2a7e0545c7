"""Which images are still classified right under attack, and how much of that is the judge's luck."""

from dataclasses import dataclass
from typing import ClassVar

import torch
import xarray as xr
from torch import Tensor

from purigeom.attacks.pgd import PGD, loss_and_gradient
from purigeom.contract import Checked
from purigeom.defence import Defended
from purigeom.measurements.configuration import check_settings, configurations, facts
from purigeom.noise import Noise
from purigeom.protocols import Attack, Batch, Classifier, ImageMap, RandomMap
from purigeom.schema import CLASSIFIED, GRADIENT_VANISHED, SURVIVED, SURVIVED_FRESH


@dataclass(frozen=True)
class Survival:
    """Attack each pinned defence with exact gradients, then judge twice.

    Once with the very randomness the attacker knew, once with randomness the attacker never saw.

    Parameters
    ----------
    classifier
        The network behind the purifier.
    radii
        Radii of the attack, in its own norm.
    attack
        The attack.
    draws
        Number of random configurations, each attacked on its own.
    """

    version: ClassVar[int] = 1
    label: ClassVar[str] = "survival"
    classifier: Classifier
    radii: tuple[float, ...]
    attack: Attack = PGD()
    draws: int = 1

    def __post_init__(self) -> None:
        check_settings(self, draws=self.draws)

    def __call__(self, purifier: RandomMap, batch: Batch, noise: Noise) -> xr.Dataset:
        defence = Defended(Checked(purifier), self.classifier)
        shape = tuple(batch.images.shape[1:])
        drawn = []
        for draw, pinned in enumerate(configurations(noise, self.draws)):
            known, fresh = defence.pin(pinned, shape), defence.pin(noise.child("judge", draw), shape)
            drawn.append(self._judged(known, fresh, batch, noise.child("attack", draw)))
        measured = {
            variable.name: (
                variable.dims,
                facts(torch.stack([answers[variable.name] for answers in drawn], axis)),
            )
            for variable, axis in (
                (CLASSIFIED, 0),
                (GRADIENT_VANISHED, 0),
                (SURVIVED, 2),
                (SURVIVED_FRESH, 2),
            )
        }
        coordinates = {
            "attack": [self.attack.label],
            "radius": list(self.radii),
            "draw": range(self.draws),
            "image": list(batch.image_ids),
        }
        return xr.Dataset(measured, coords=coordinates)

    def _judged(self, known: ImageMap, fresh: ImageMap, batch: Batch, noise: Noise) -> dict[str, Tensor]:
        """Return one configuration's verdicts by the name of their variable."""
        if batch.labels is None:
            msg = "Survival needs labels to judge by; the batch has none. Give labels beside the images."
            raise ValueError(msg)
        attacked = [self.attack(known, batch, noise, radius) for radius in self.radii]
        _, gradient = loss_and_gradient(known, batch.images, batch.labels)
        return {
            CLASSIFIED.name: _right(known, batch.images, batch.labels),
            GRADIENT_VANISHED.name: (gradient == 0).flatten(1).all(1),
            SURVIVED.name: torch.stack([_right(known, images, batch.labels) for images in attacked])[None],
            SURVIVED_FRESH.name: torch.stack([_right(fresh, images, batch.labels) for images in attacked])[None],
        }


@torch.no_grad()
def _right(logits: ImageMap, images: Tensor, labels: Tensor) -> Tensor:
    found = logits(images)
    if not found.isfinite().all():
        msg = "The classifier answers NaN or infinity for a purified image; look at its weights and its input range."
        raise ValueError(msg)
    return found.argmax(1) == labels
