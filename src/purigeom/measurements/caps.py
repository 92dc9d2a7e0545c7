"""How much of a sphere around the clean image and around the anchor the classifier gets wrong."""

from dataclasses import dataclass
from typing import ClassVar

import torch
import xarray as xr
from torch import Tensor

from purigeom.defence.checks import check_labels, labels_of
from purigeom.defence.target import Target
from purigeom.geometry.displacement import Sphere
from purigeom.measurements.attacked import Place, anchored, answers, bare, check_places
from purigeom.measurements.configuration import check_settings, configurations, labelled
from purigeom.noise import Noise
from purigeom.protocols import Batch, Classifier, RandomMap
from purigeom.schema import MISCLASSIFIED_SHARE


@dataclass(frozen=True)
class Caps:
    """Classify the ends of random directions: the share of wrong ones is that of caps that boundaries cut off.

    Of one flat boundary, `purigeom.geometry.caps.cap_distance` makes its l2 distance of the share. Only the bare
    classifier is asked; at the clean image every draw has the same answer. Anchors are clamped into [0, 1].

    Parameters
    ----------
    classifier
        The network whose boundaries they are.
    radii
        l2 lengths.
    probes
        Number of uniformly random directions; the same ones serve every radius, place and draw.
    draws
        Number of random configurations.
    clip
        Whether the ends are clipped into [0, 1], which bends the sphere; not established of the paper.
    places
        The centres.
    """

    version: ClassVar[int] = 1
    label: ClassVar[str] = "caps"
    classifier: Classifier
    radii: tuple[float, ...]
    probes: int = 64
    draws: int = 1
    clip: bool = False
    places: tuple[Place, ...] = ("clean image", "anchor")

    def __post_init__(self) -> None:
        check_settings(self, probes=self.probes, draws=self.draws)
        check_places(self, self.places, ("clean image", "anchor"))

    def __call__(self, purifier: RandomMap, batch: Batch, noise: Noise) -> xr.Dataset:
        found = {}
        if "clean image" in self.places:
            found["clean image"] = self._shares(batch, noise).unsqueeze(1).expand(-1, self.draws, -1)
        if "anchor" in self.places:
            centres = [anchored(purifier, batch, pinned) for pinned in configurations(noise, self.draws)]
            found["anchor"] = torch.stack([self._shares(centre, noise) for centre in centres], 1)
        shares = torch.stack([found[place] for place in self.places])
        return labelled([(MISCLASSIFIED_SHARE, shares)], batch, self.draws, place=self.places, radius=self.radii)

    def _shares(self, centre: Batch, noise: Noise) -> Tensor:
        """Return the wrong share of every sphere, (radius, image)."""
        target, labels = bare(self.classifier, noise), labels_of(centre)
        wrong = [
            self._wrong(target, centre, labels, noise.child("displacement", probe)) for probe in range(self.probes)
        ]
        return torch.stack(wrong).to(centre.images.dtype).mean(0)

    def _wrong(self, target: Target, centre: Batch, labels: Tensor, noise: Noise) -> Tensor:
        """Return which ends of one direction are classified wrong, (radius, image)."""
        unit = Sphere()(noise, centre.images, 1)
        ends = torch.cat([centre.images + radius * unit for radius in self.radii])
        logits = answers(target.repeat(len(self.radii)), ends.clamp(0, 1) if self.clip else ends)
        classes = logits.argmax(1).reshape(len(self.radii), -1)
        return classes != check_labels(labels, logits.shape[1]).to(classes.device)
