"""How far an attacked image is from the clean one, before purification and after."""

from dataclasses import dataclass
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
from purigeom.measurements.attacked import attacked, targets
from purigeom.measurements.configuration import check_settings, slug
from purigeom.measurements.perturbed_distances import staged
from purigeom.noise import Noise
from purigeom.protocols import Batch, Classifier, RandomMap


@dataclass(frozen=True)
class AttackedDistances:
    """Attack each pinned defence as `Survival` does, and compare what it is given and what it makes of it.

    The facts are those of `PerturbedDistances`, under the adversary's name in place of the displacement's. Where the
    purifier answers an attacked image with NaN, so are its distances.

    Parameters
    ----------
    classifier, radii, attack, draws
        As for `Survival`, which judges the same attacked images.
    """

    version: ClassVar[int] = 1
    classifier: Classifier
    radii: tuple[float, ...]
    attack: Attack | Adversary = PGD()
    draws: int = 1

    def __post_init__(self) -> None:
        check_settings(self, draws=self.draws)
        for radius in self.radii:
            check_radius(self.adversary.attack, self.adversary.attack.norm, radius)

    @property
    def label(self) -> str:
        return f"attacked-distances-{slug(self.adversary.label)}"

    @property
    def adversary(self) -> Adversary:
        """Return who attacks."""
        return told(self.attack)

    def __call__(self, purifier: RandomMap, batch: Batch, noise: Noise) -> xr.Dataset:
        labels_of(batch)
        asked = targets(self.adversary, Defended(purifier, self.classifier), noise, self.draws)
        before, after = (torch.stack(stage) for stage in zip(*(self._of(one, batch) for one in asked), strict=True))
        return staged(batch, before, after, self.adversary.label, self.radii)

    def _of(self, target: Target, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the attacked images and what the configuration makes of them, (radius, *images)."""
        before = [attacked(target, self.adversary.attack, batch, radius) for radius in self.radii]
        purify = target.defence.purifier.pin(target.configuration, tuple(batch.images.shape[1:]))
        with torch.no_grad():
            return torch.stack(before).detach(), torch.stack([purify(images) for images in before])
