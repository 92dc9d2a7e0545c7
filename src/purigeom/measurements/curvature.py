"""How far a purifier is from its own linear part at finite radii: what derivatives cannot see."""

from dataclasses import dataclass
from typing import ClassVar

import torch
import xarray as xr
from torch import Tensor

from purigeom.geometry.displacement import UniformBall
from purigeom.geometry.jacobian import Jacobian
from purigeom.measurements.configuration import (
    by_draws,
    check_settings,
    configurations,
    labelled,
    refuse_without_slope,
)
from purigeom.noise import Noise
from purigeom.protocols import Batch, Displacement, RandomMap
from purigeom.schema import CURVATURE, LINEAR_RATIO


@dataclass(frozen=True)
class Curvature:
    """Displace images as `Compression` does, and compare with what the Jacobian makes of the same displacements.

    Parameters
    ----------
    radii, displacement, probes, draws
        As for `Compression`, which moves the same images by the same displacements.
    """

    version: ClassVar[int] = 1
    label: ClassVar[str] = "curvature"
    differentiates: ClassVar[bool] = True
    radii: tuple[float, ...]
    displacement: Displacement = UniformBall()
    probes: int = 8
    draws: int = 1

    def __post_init__(self) -> None:
        check_settings(self, probes=self.probes, draws=self.draws)

    def __call__(self, purifier: RandomMap, batch: Batch, noise: Noise) -> xr.Dataset:
        refuse_without_slope(self, purifier)
        places = {image_id: place for place, image_id in enumerate(batch.image_ids)}

        def answer(jacobian: Jacobian, pinned: Noise) -> tuple[Tensor, Tensor]:
            first = places[pinned.image_ids[0]]
            return self._answer(jacobian, noise[first : first + len(pinned.image_ids)])

        drawn = by_draws(purifier, batch, configurations(noise, self.draws), self.probes, answer)
        found = [part.permute(2, 0, 3, 1)[None] for part in drawn]
        return labelled(
            list(zip((LINEAR_RATIO, CURVATURE), found, strict=True)),
            batch,
            self.draws,
            displacement=[self.displacement.label],
            radius=self.radii,
            probe=range(self.probes),
        )

    @torch.no_grad()
    def _answer(self, jacobian: Jacobian, noise: Noise) -> tuple[Tensor, Tensor]:
        """Return the linear ratio and the curvature of some images, each (image, radius, probe)."""
        images, anchors = jacobian.images, jacobian.states[-1]
        moves = [noise.child("displacement", probe) for probe in range(self.probes)]
        ratios, curvatures = [], []
        for radius in self.radii:
            moved = [self.displacement(move, images, radius) for move in moves]
            displacement = torch.stack([one.flatten(1) for one in moved], -1)
            linear = jacobian.push(displacement)
            actual = torch.stack([(jacobian.image_map(images + one) - anchors).flatten(1) for one in moved], -1)
            length = displacement.norm(dim=1)
            ratios.append(linear.norm(dim=1) / length)
            curvatures.append((actual - linear).norm(dim=1) / length)
        return torch.stack(ratios, 1), torch.stack(curvatures, 1)
