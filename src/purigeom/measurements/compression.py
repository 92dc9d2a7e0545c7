"""How much a purifier shortens displacements of given radii."""

from dataclasses import dataclass
from typing import ClassVar

import torch
import xarray as xr
from torch import Tensor

from purigeom.geometry.compression import stretch
from purigeom.geometry.displacement import UniformBall
from purigeom.geometry.memory import in_parts
from purigeom.measurements.configuration import check_settings, configurations, facts, slug
from purigeom.measurements.points import at_once, displacements, purified_by_parts
from purigeom.noise import Noise
from purigeom.protocols import Batch, Displacement, RandomMap
from purigeom.schema import COMPRESSION_RATIO


@dataclass(frozen=True)
class Compression:
    """Displace each image `probes` times to each radius and compare lengths, randomness pinned.

    Parameters
    ----------
    radii
        Lengths of the displacement, in its own norm.
    displacement
        How images are moved.
    probes
        Number of displacements per image; the same directions serve every radius and draw.
    draws
        Number of random configurations.
    """

    version: ClassVar[int] = 1
    radii: tuple[float, ...]
    displacement: Displacement = UniformBall()
    probes: int = 8
    draws: int = 1

    def __post_init__(self) -> None:
        check_settings(self, probes=self.probes, draws=self.draws)

    @property
    def label(self) -> str:
        """Return "compression" for the usual displacement, and name any other."""
        usual = isinstance(self.displacement, UniformBall)
        return "compression" if usual else f"compression-{slug(self.displacement.label)}"

    @torch.no_grad()
    def __call__(self, purifier: RandomMap, batch: Batch, noise: Noise) -> xr.Dataset:
        drawn = []
        for pinned in configurations(noise, self.draws):
            anchors = purified_by_parts(purifier, batch.images, pinned)
            drawn.append(torch.stack([self._ratios(purifier, batch, noise, (pinned, anchors), r) for r in self.radii]))
        ratios = torch.stack(drawn, 1)[None]
        coordinates = {
            "displacement": [self.displacement.label],
            "radius": list(self.radii),
            "draw": range(self.draws),
            "probe": range(self.probes),
            "image": list(batch.image_ids),
        }
        return xr.Dataset({COMPRESSION_RATIO.name: (COMPRESSION_RATIO.dims, facts(ratios))}, coords=coordinates)

    def _ratios(
        self, purifier: RandomMap, batch: Batch, noise: Noise, anchored: tuple[Noise, Tensor], radius: float
    ) -> Tensor:
        """Return the ratios of one configuration, with its anchors, and one radius: shape (probe, image)."""
        pinned, anchors = anchored
        images, moves = batch.images, displacements(noise, self.probes)

        def of_part(part: slice) -> Tensor:
            displacement = torch.cat([self.displacement(move, images, radius) for move in moves[part]])
            times = len(moves[part])
            moved = purified_by_parts(purifier, images.repeat(times, 1, 1, 1) + displacement, pinned.repeat(times))
            return stretch(anchors.repeat(times, 1, 1, 1), moved, displacement).reshape(times, len(batch))

        return torch.cat(in_parts(of_part, self.probes, max(1, at_once(images) // len(batch))))
