"""How little it takes to fool the classifier: at the clean image, at the anchor, and through the defence."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
import xarray as xr
from torch import Tensor

from purigeom.attacks.adversary import Adversary, Attack, told
from purigeom.attacks.pgd import PGD
from purigeom.defence.defended import Defended
from purigeom.defence.target import Target
from purigeom.geometry.displacement import Norm
from purigeom.measurements.attacked import Place, anchored, bare, check_places, targets
from purigeom.measurements.bisection import Bisection
from purigeom.measurements.configuration import check_settings, configurations, labelled
from purigeom.noise import Noise
from purigeom.protocols import Batch, Classifier, RandomMap
from purigeom.schema import CLASSIFIER_CALLS, MINIMAL_RADIUS

LARGEST: Mapping[Norm, float] = {"linf": 0.5, "l2": 4.0}
"""How far to search unless told, by the attack's norm."""


@dataclass(frozen=True)
class MinimalPerturbation:
    """Find, by bisection over the radius, the nearest image that an attack gets classified wrong.

    At the clean image and at the anchor f(x0) of every configuration the bare classifier is attacked: no purifier runs
    but for the anchor, and no gradient passes through it. Anchors are clamped into [0, 1], where attacks stay. At the
    place "defence" the attack starts at the clean image and goes through the pinned purifier and the classifier. At the
    clean image every draw has the same answer.

    Parameters
    ----------
    classifier
        The network that is fooled.
    places
        Where from.
    attack
        The search; what an adversary knows and how it differentiates matter at the place "defence" alone.
    largest
        The largest radius tried, in the attack's norm.
    halvings
        How often the bracket of every image's radius is halved.
    draws
        Number of random configurations.
    """

    version: ClassVar[int] = 1
    label: ClassVar[str] = "minimal-perturbation"
    classifier: Classifier
    places: tuple[Place, ...] = ("clean image", "anchor")
    attack: Attack | Adversary = PGD(20)
    largest: float = LARGEST["linf"]
    halvings: int = 7
    draws: int = 1

    def __post_init__(self) -> None:
        check_settings(self, draws=self.draws, halvings=self.halvings)
        check_places(self, self.places)
        _ = self.search

    @property
    def search(self) -> Bisection:
        """Return the search for the least radius."""
        return Bisection(told(self.attack).attack, self.largest, self.halvings)

    def __call__(self, purifier: RandomMap, batch: Batch, noise: Noise) -> xr.Dataset:
        found = [self._at(place, purifier, batch, noise) for place in self.places]
        radii, calls = (torch.stack(parts) for parts in zip(*found, strict=True))
        return labelled([(MINIMAL_RADIUS, radii), (CLASSIFIER_CALLS, calls)], batch, self.draws, place=self.places)

    def _at(self, place: Place, purifier: RandomMap, batch: Batch, noise: Noise) -> tuple[Tensor, Tensor]:
        """Return the distances and what they cost, (draw, image)."""
        if place == "clean image":
            once = self._searched(bare(self.classifier, noise.child("attack", place)), batch)
            radii, calls = (part.expand(self.draws, -1) for part in once)
            return radii, calls
        if place == "defence":
            asked = targets(told(self.attack), Defended(purifier, self.classifier), noise, self.draws)
            found = [self._searched(target, batch) for target in asked]
        else:
            found = [
                self._searched(
                    bare(self.classifier, noise.child("attack", draw, place)), anchored(purifier, batch, pinned)
                )
                for draw, pinned in enumerate(configurations(noise, self.draws))
            ]
        radii, calls = (torch.stack(parts) for parts in zip(*found, strict=True))
        return radii, calls

    def _searched(self, target: Target, batch: Batch) -> tuple[Tensor, Tensor]:
        radii, ledger = self.search(target, batch), target.ledger
        return radii, torch.tensor([ledger.purifications[one] + ledger.gradients[one] for one in batch.image_ids])
