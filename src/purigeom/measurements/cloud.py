"""What shape a purifier makes of a ball around an image."""

from dataclasses import dataclass
from typing import ClassVar

import torch
import xarray as xr
from torch import Tensor

from purigeom.geometry.cloud import participation, principal_shares
from purigeom.geometry.displacement import UniformBall
from purigeom.measurements.configuration import check_settings, configurations, labelled
from purigeom.measurements.points import check_points, displacements, moved, purified_points
from purigeom.noise import Noise
from purigeom.protocols import Batch, Displacement, RandomMap
from purigeom.schema import CLOUD_RANK, CLOUD_VARIANCE


@dataclass(frozen=True)
class Cloud:
    """Purify points of a ball around each image, under one configuration, and find their principal directions.

    Few points see few directions: of an isotropic ball in D dimensions, P points show a rank of about
    P D / (P + D), not D.

    Parameters
    ----------
    radii
        Lengths of the displacement, in its own norm.
    displacement
        How points are found around the clean image.
    points
        Number of points; one more than there can be modes.
    clip
        Whether points are brought back to [0, 1].
    draws
        Number of random configurations.
    """

    version: ClassVar[int] = 1
    label: ClassVar[str] = "cloud"
    radii: tuple[float, ...]
    displacement: Displacement = UniformBall()
    points: int = 64
    clip: bool = False
    draws: int = 1

    def __post_init__(self) -> None:
        check_settings(self, points=self.points, draws=self.draws)
        check_points(self, self.points)

    @torch.no_grad()
    def __call__(self, purifier: RandomMap, batch: Batch, noise: Noise) -> xr.Dataset:
        shares = torch.stack([self._of_radius(purifier, batch, noise, radius) for radius in self.radii])[None]
        found = [(CLOUD_VARIANCE, shares), (CLOUD_RANK, participation(shares))]
        return labelled(found, batch, self.draws, displacement=[self.displacement.label], radius=self.radii)

    def _of_radius(self, purifier: RandomMap, batch: Batch, noise: Noise, radius: float) -> Tensor:
        """Return the shares of variance, (draw, image, mode)."""
        moves = displacements(noise, self.points)
        points = moved(self.displacement, moves, batch.images, radius, self.clip)
        clouds = (
            purified_points(purifier, points, [pinned] * self.points) for pinned in configurations(noise, self.draws)
        )
        return torch.stack([principal_shares(cloud) for cloud in clouds])
