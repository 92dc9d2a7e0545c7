"""What a defence answers on a plane through the clean image: its boundaries, drawn."""

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
from purigeom.geometry.company import image_by_image
from purigeom.geometry.displacement import per_image, rescale
from purigeom.measurements.attacked import answers, attacked, direction, margins, targets, unbroken
from purigeom.measurements.configuration import check_settings, labelled
from purigeom.noise import Noise
from purigeom.protocols import Batch, Classifier, RandomMap
from purigeom.schema import SLICE_CLASS, SLICE_MARGIN
from purigeom.settings import check_lengths


@dataclass(frozen=True)
class BoundarySlice:
    """Ask the pinned defence on a grid spanned by the attack's direction and a random one orthogonal to it.

    The attacked images are those of `Survival` with the same attack, radius and noise.

    Parameters
    ----------
    classifier
        The network behind the purifier.
    radius
        Radius of the attack, in its own norm.
    reach
        How far the grid goes to all four sides, in l2.
    attack
        An adversary; a bare attack knows the configuration and takes exact gradients.
    points
        Points of the grid along each of its directions; an odd number has the clean image among them.
    draws
        Number of random configurations.
    clip
        Whether images are clipped into [0, 1], which bends the plane where it leaves; not established of the paper.
    """

    version: ClassVar[int] = 1
    label: ClassVar[str] = "boundary-slice"
    classifier: Classifier
    radius: float
    reach: float = 2.0
    attack: Attack | Adversary = PGD()
    points: int = 33
    draws: int = 1
    clip: bool = True

    def __post_init__(self) -> None:
        check_settings(self, points=self.points, draws=self.draws)
        check_lengths(self, "reach")
        check_radius(told(self.attack).attack, told(self.attack).attack.norm, self.radius)

    def __call__(self, purifier: RandomMap, batch: Batch, noise: Noise) -> xr.Dataset:
        adversary, random = told(self.attack), noise.child("direction").normal_like(batch.images)
        drawn = []
        for target in targets(adversary, Defended(purifier, self.classifier), noise, self.draws):
            unit = direction(attacked(target, adversary.attack, batch, self.radius), batch.images)
            drawn.append(self._sliced(target, batch, (unit, _across(random, unit))))
        classes, found = (torch.stack(parts) for parts in zip(*drawn, strict=True))
        grid = self._grid().tolist()
        return labelled([(SLICE_CLASS, classes), (SLICE_MARGIN, found)], batch, self.draws, along=grid, across=grid)

    def _grid(self) -> Tensor:
        return torch.linspace(-self.reach, self.reach, self.points, dtype=torch.float64)

    def _sliced(self, target: Target, batch: Batch, plane: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Return classes and margins of one configuration, (image, along, across)."""
        row, labels = target.repeat(self.points), labels_of(batch).repeat(self.points)
        steps = torch.cat([step * plane[1] for step in self._grid().tolist()])
        classes, found = [], []
        for step in self._grid().tolist():
            at = (batch.images + step * plane[0]).repeat(self.points, 1, 1, 1) + steps
            logits = answers(row, at.clamp(0, 1) if self.clip else at)
            classes.append(logits.argmax(1).reshape(self.points, -1))
            found.append(unbroken(margins(logits, labels).reshape(self.points, -1), target))
        return torch.stack(classes).permute(2, 0, 1), torch.stack(found).permute(2, 0, 1)


def _across(random: Tensor, unit: Tensor) -> Tensor:
    """Return the unit direction across another that random ones have."""
    along = per_image(image_by_image(torch.sum, random * unit), unit)
    return rescale(random - along * unit, "l2", 1)
