"""Whether an attack by gradients can say anything of a defence: randomness it hides, gradients it bends or breaks."""

from dataclasses import dataclass
from typing import ClassVar

import torch
import xarray as xr

from purigeom.defence.defended import Defended
from purigeom.defence.diagnosis import diagnosed
from purigeom.measurements.configuration import check_settings, configurations, labelled
from purigeom.noise import Noise
from purigeom.protocols import Batch, Classifier, RandomMap
from purigeom.schema import (
    GRADIENT_FOLLOWED,
    GRADIENT_MASKED,
    GRADIENT_MISSED,
    GRADIENT_REACHED,
    HIDDEN_RANDOMNESS,
    OPTIMISED_INSIDE,
)


@dataclass(frozen=True)
class Soundness:
    """Diagnose every pinned defence; `purigeom.defence.diagnosis.diagnosed` says the same in words.

    Parameters
    ----------
    classifier
        The network behind the purifier.
    radius
        In the linf norm: how far from the clean images gradients are taken, and how far displacements go by which a
        missing gradient is told from a flat margin.
    draws
        Number of random configurations.
    """

    version: ClassVar[int] = 2
    label: ClassVar[str] = "soundness"
    classifier: Classifier
    radius: float = 8 / 255
    draws: int = 1

    def __post_init__(self) -> None:
        check_settings(self, draws=self.draws)
        if not 0 < self.radius <= 1:
            msg = f"Soundness.radius must be an linf length above zero and within [0, 1]; got {self.radius!r}."
            raise ValueError(msg)

    def __call__(self, purifier: RandomMap, batch: Batch, noise: Noise) -> xr.Dataset:
        defence = Defended(purifier, self.classifier)
        found = [diagnosed(defence, batch, pinned, self.radius) for pinned in configurations(noise, self.draws)]
        facts = [
            (HIDDEN_RANDOMNESS, torch.stack([one.hidden for one in found])),
            (OPTIMISED_INSIDE, torch.stack([one.optimised for one in found])),
            (GRADIENT_FOLLOWED, torch.stack([one.followed for one in found])),
            (GRADIENT_REACHED, torch.stack([one.reached for one in found])),
            (GRADIENT_MISSED, torch.stack([one.missed for one in found])),
            (GRADIENT_MASKED, torch.stack([one.masked for one in found])),
        ]
        return labelled(facts, batch, self.draws)
