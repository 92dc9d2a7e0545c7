"""Where a purifier puts the clean image, its anchor, and whether perturbed images move there."""

from dataclasses import dataclass
from typing import ClassVar

import torch
import xarray as xr
from torch import Tensor

from purigeom.defence.checks import check_labels, check_logits, labels_of
from purigeom.defence.defended import Defended
from purigeom.geometry.displacement import UniformBall
from purigeom.geometry.distances import l2
from purigeom.measurements.configuration import check_settings, configurations, labelled
from purigeom.measurements.points import displacements, moved, purified_points
from purigeom.noise import Noise
from purigeom.protocols import Batch, Classifier, Displacement, RandomMap
from purigeom.schema import ANCHOR_KEPT, APPROACH, CLASSIFIED


@dataclass(frozen=True)
class Anchors:
    """Purify perturbed images and compare with the anchor f(x0) of the same configuration.

    Parameters
    ----------
    classifier
        The network behind the purifier.
    radii
        Lengths of the displacement, in its own norm.
    displacement
        How images are moved.
    probes
        Number of displacements per image; the same serve every radius and draw.
    clip
        Whether perturbed images are brought back to [0, 1], so that they are images.
    draws
        Number of random configurations, and so of anchors.
    """

    version: ClassVar[int] = 1
    label: ClassVar[str] = "anchors"
    classifier: Classifier
    radii: tuple[float, ...]
    displacement: Displacement = UniformBall()
    probes: int = 8
    clip: bool = True
    draws: int = 1

    def __post_init__(self) -> None:
        check_settings(self, probes=self.probes, draws=self.draws)

    @torch.no_grad()
    def __call__(self, purifier: RandomMap, batch: Batch, noise: Noise) -> xr.Dataset:
        labels_of(batch)
        drawn = [self._of_draw(purifier, batch, noise, pinned) for pinned in configurations(noise, self.draws)]
        right, approach, kept = (torch.stack(parts) for parts in zip(*drawn, strict=True))
        probed = [(APPROACH, approach), (ANCHOR_KEPT, kept)]
        found = [(CLASSIFIED, right), *((variable, facts.transpose(0, 1)[None]) for variable, facts in probed)]
        coordinates = {"displacement": [self.displacement.label], "radius": self.radii, "probe": range(self.probes)}
        return labelled(found, batch, self.draws, **coordinates)

    def _of_draw(self, purifier: RandomMap, batch: Batch, noise: Noise, pinned: Noise) -> tuple[Tensor, Tensor, Tensor]:
        """Return which anchors are classified right, (image), and the facts of each probe, (radius, probe, image)."""
        (anchors,) = purified_points(purifier, batch.images[None], [pinned])
        logits = self._logits(purifier, anchors)
        right = logits.argmax(1) == check_labels(labels_of(batch), logits.shape[1])
        approach, kept = [], []
        for radius in self.radii:
            moves = displacements(noise, self.probes)
            points = moved(self.displacement, moves, batch.images, radius, self.clip)
            purified = purified_points(purifier, points, [pinned] * self.probes)
            pairs = zip(points, purified, strict=True)
            approach.append(torch.stack([l2(after, anchors) / l2(before, anchors) for before, after in pairs]))
            same = [self._logits(purifier, images).argmax(1) == logits.argmax(1) for images in purified]
            kept.append(torch.stack(same))
        return right, torch.stack(approach), torch.stack(kept)

    def _logits(self, purifier: RandomMap, purified: Tensor) -> Tensor:
        logits = self.classifier.load()(purified)
        check_logits(logits, Defended(purifier, self.classifier))
        if not logits.isfinite().all():
            msg = (
                f"{self.classifier!r} answers NaN or infinity for a purified image; look at its weights and its range."
            )
            raise ValueError(msg)
        return logits
