"""Where a defence's answer turns wrong on the straight way from the clean image to an attacked one, and beyond."""

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
import xarray as xr
from torch import Tensor

from purigeom.attacks.adversary import Adversary, Attack, told
from purigeom.attacks.ball import check_radius
from purigeom.attacks.pgd import PGD
from purigeom.defence.checks import labels_of
from purigeom.defence.defended import Defended
from purigeom.defence.target import Target
from purigeom.geometry.crossings import crossings
from purigeom.geometry.displacement import Sphere
from purigeom.measurements.attacked import answers, attacked, direction, margins, targets, unbroken
from purigeom.measurements.configuration import check_settings, labelled
from purigeom.noise import Noise
from purigeom.protocols import Batch, Classifier, RandomMap
from purigeom.schema import FIRST_CROSSING, SCANNED_MARGIN, SECOND_CROSSING

DISTANCES = tuple(step / 4 for step in range(25))
"""Up to 6, since the paper's second crossing lies beyond 5."""


@dataclass(frozen=True)
class BoundaryScan:
    """Move each image along its attack's direction, and along a random one, and see the pinned defence's margin.

    The attacked images are those of `Survival` with the same attack, radius and noise. Without an attack of length
    there is no direction, and nothing moves.

    Parameters
    ----------
    classifier
        The network behind the purifier.
    radius
        Radius of the attack, in its own norm.
    distances
        l2 lengths to look at, rising.
    attack
        An adversary; a bare attack knows the configuration and takes exact gradients.
    draws
        Number of random configurations; the random direction serves them all.
    clip
        Whether images are clipped into [0, 1], which bends the way where it leaves; not established of the paper.
    """

    version: ClassVar[int] = 1
    label: ClassVar[str] = "boundary-scan"
    classifier: Classifier
    radius: float
    distances: tuple[float, ...] = DISTANCES
    attack: Attack | Adversary = PGD()
    draws: int = 1
    clip: bool = True

    def __post_init__(self) -> None:
        check_settings(self, draws=self.draws)
        check_radius(told(self.attack).attack, told(self.attack).attack.norm, self.radius)
        rising = all(near < far for near, far in pairwise(self.distances))
        if not self.distances or not rising or not self.distances[0] >= 0:
            msg = f"BoundaryScan.distances must be lengths that rise from zero or more; got {self.distances!r}."
            raise ValueError(msg)

    def __call__(self, purifier: RandomMap, batch: Batch, noise: Noise) -> xr.Dataset:
        adversary, random = told(self.attack), Sphere()(noise.child("direction"), batch.images, 1)
        drawn = []
        for target in targets(adversary, Defended(purifier, self.classifier), noise, self.draws):
            found = attacked(target, adversary.attack, batch, self.radius)
            along = unbroken(self._scanned(target, batch, direction(found, batch.images)), target)
            drawn.append(torch.stack([along, self._scanned(target, batch, random)]))
        scanned = torch.stack(drawn, 2)
        lengths = torch.tensor(self.distances).to(scanned)
        first, second = crossings(lengths, scanned.transpose(0, 1))
        facts = [(SCANNED_MARGIN, scanned), (FIRST_CROSSING, first), (SECOND_CROSSING, second)]
        return labelled(facts, batch, self.draws, direction=["attack", "random"], distance=self.distances)

    def _scanned(self, target: Target, batch: Batch, unit: Tensor) -> Tensor:
        """Return the margins along one direction, (distance, image)."""
        labels = labels_of(batch)
        ways = (batch.images + distance * unit for distance in self.distances)
        return torch.stack([margins(answers(target, at.clamp(0, 1) if self.clip else at), labels) for at in ways])
