"""Whether the configuration or the input decides where a purifier moves an image."""

from dataclasses import dataclass
from typing import ClassVar

import torch
import xarray as xr
from torch import Tensor

from purigeom.geometry.displacement import UniformBall
from purigeom.geometry.steadiness import correlations, mean_of_different, mean_of_same, signal_to_noise
from purigeom.measurements.configuration import check_settings, configurations, labelled
from purigeom.measurements.points import check_points, displacements, moved, purified_points
from purigeom.noise import Noise
from purigeom.protocols import Batch, Displacement, RandomMap
from purigeom.schema import (
    CORRELATION_NEITHER,
    CORRELATION_SAME_CONFIGURATION,
    CORRELATION_SAME_INPUT,
    DISPLACEMENT_SNR,
)

_CORRELATIONS = (CORRELATION_SAME_CONFIGURATION, CORRELATION_SAME_INPUT, CORRELATION_NEITHER)


@dataclass(frozen=True)
class Steadiness:
    """Correlate purified displacements f(x) - x0 of starting points x around x0, within and across configurations.

    A draw's configuration purifies all starting points; besides, every point is purified by another configuration, its
    own. Pairs are two points purified by the draw's (same configuration), a point purified by the draw's and by its own
    (same input), or a point purified by the draw's and another by that one's own (neither). The signal-to-noise ratio
    of f(x0) - x0 is taken over those other configurations.

    Parameters
    ----------
    radii
        Lengths of the displacement, in its own norm.
    displacement
        How starting points are found around the clean image.
    points
        Number of starting points, and of every draw's other configurations.
    clip
        Whether starting points are brought back to [0, 1].
    draws
        Number of random configurations.
    """

    version: ClassVar[int] = 1
    label: ClassVar[str] = "steadiness"
    radii: tuple[float, ...]
    displacement: Displacement = UniformBall()
    points: int = 16
    clip: bool = False
    draws: int = 1

    def __post_init__(self) -> None:
        check_settings(self, points=self.points, draws=self.draws)
        check_points(self, self.points)

    @torch.no_grad()
    def __call__(self, purifier: RandomMap, batch: Batch, noise: Noise) -> xr.Dataset:
        drawn = [
            self._of_draw(purifier, batch, noise, (pinned, self._others(noise, draw)))
            for draw, pinned in enumerate(configurations(noise, self.draws))
        ]
        means, snr = (torch.stack(parts) for parts in zip(*drawn, strict=True))
        found = [*zip(_CORRELATIONS, means.permute(2, 1, 0, 3)[:, None], strict=True), (DISPLACEMENT_SNR, snr)]
        return labelled(found, batch, self.draws, displacement=[self.displacement.label], radius=self.radii)

    def _others(self, noise: Noise, draw: int) -> list[Noise]:
        """Return the configurations that a draw's own is compared with, one per point."""
        return [noise.child("other configuration", draw, point) for point in range(self.points)]

    def _of_draw(
        self, purifier: RandomMap, batch: Batch, noise: Noise, compared: tuple[Noise, list[Noise]]
    ) -> tuple[Tensor, Tensor]:
        """Return the mean over each kind of pairs, (radius, kind, image), and the signal-to-noise ratio, (image)."""
        pinned, others = compared
        moves, means = displacements(noise, self.points), []
        for radius in self.radii:
            points = moved(self.displacement, moves, batch.images, radius, self.clip)
            here = purified_points(purifier, points, [pinned] * self.points) - batch.images
            elsewhere = purified_points(purifier, points, others) - batch.images
            within, across = correlations(here, here), correlations(here, elsewhere)
            means.append(torch.stack([mean_of_different(within), mean_of_same(across), mean_of_different(across)]))
        still = batch.images.expand(self.points, *batch.images.shape)
        return torch.stack(means), signal_to_noise(purified_points(purifier, still, others) - batch.images)
