"""How far from losing the right class an image is, from random displacements and forward passes alone."""

from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import ClassVar

import torch
import xarray as xr
from torch import Tensor

from purigeom.contract import Checked
from purigeom.defence.checks import check_labels, check_logits, labels_of
from purigeom.defence.defended import Defended
from purigeom.geometry.margins import MarginMoments, margin_ratio, margins, pair_moments, room
from purigeom.geometry.memory import in_parts
from purigeom.measurements.configuration import check_settings, configurations, labelled
from purigeom.measurements.points import IMAGES_AT_ONCE, displacements
from purigeom.noise import Noise
from purigeom.protocols import Batch, Classifier, ImageMap, RandomMap
from purigeom.schema import ANCHOR_MARGIN, CLASSIFIED, MARGIN_BEND, MARGIN_RATIO, RANDOM_KEPT, ROOM


@dataclass(frozen=True)
class Margins:
    """Displace each image by random signs and their opposites, and see what becomes of every class margin.

    No gradient is taken of anything. Displaced images are not brought back to [0, 1]: `room` says how much of the ball
    that leaves.

    Parameters
    ----------
    classifier
        The network behind the purifier.
    radii
        linf lengths of the displacement.
    pairs
        Number of displacements with their opposites; the same directions serve every radius and draw.
    draws
        Number of random configurations.
    """

    version: ClassVar[int] = 1
    label: ClassVar[str] = "margins"
    classifier: Classifier
    radii: tuple[float, ...]
    pairs: int = 8
    draws: int = 1

    def __post_init__(self) -> None:
        check_settings(self, pairs=self.pairs, draws=self.draws)

    @torch.no_grad()
    def __call__(self, purifier: RandomMap, batch: Batch, noise: Noise) -> xr.Dataset:
        defence = Defended(Checked(purifier), self.classifier)
        drawn = [self._of_draw(defence, batch, noise, pinned) for pinned in configurations(noise, self.draws)]
        anchor, *moved = (torch.stack(parts) for parts in zip(*drawn, strict=True))
        left = torch.stack([room(batch.images, radius) for radius in self.radii]).expand(self.draws, -1, -1)
        probed = zip((MARGIN_RATIO, MARGIN_BEND, RANDOM_KEPT, ROOM), (*moved, left), strict=True)
        found = [(CLASSIFIED, anchor > 0), (ANCHOR_MARGIN, anchor)]
        found += [(variable, facts.transpose(0, 1)) for variable, facts in probed]
        return labelled(found, batch, self.draws, radius=self.radii)

    def _of_draw(self, defence: Defended, batch: Batch, noise: Noise, pinned: Noise) -> tuple[Tensor, ...]:
        """Return the margins at the anchors, (image), and the facts of every radius, (radius, image)."""
        labels, shape = labels_of(batch), tuple(batch.images.shape[1:])
        logits = defence.pin(pinned, shape)(batch.images)
        check_logits(logits, defence)
        anchor = margins(logits, check_labels(labels, logits.shape[1]))

        def margins_of(points: Tensor) -> Tensor:
            found = defence.pin(pinned.repeat(len(points)), shape)(points.flatten(0, 1))
            return margins(found, labels.repeat(len(points))).unflatten(0, points.shape[:2])

        facts = []
        for radius in self.radii:
            moments = self._moments(margins_of, batch.images, noise, anchor, radius)
            ratio, bend = margin_ratio(anchor, moments, batch.images[0].numel())
            facts.append((ratio, bend, moments.kept / (2 * moments.pairs)))
        return anchor.amin(1), *(torch.stack(parts) for parts in zip(*facts, strict=True))

    def _moments(
        self, margins_of: ImageMap, images: Tensor, noise: Noise, anchor: Tensor, radius: float
    ) -> MarginMoments:
        """Return the moments of all pairs, several pairs of few images travelling together."""
        moves = [radius * move.sign_like(images) for move in displacements(noise, self.pairs)]

        def of_part(part: slice) -> MarginMoments:
            ahead = torch.stack([images + move for move in moves[part]])
            behind = torch.stack([images - move for move in moves[part]])
            ends = margins_of(torch.cat([ahead, behind])).unflatten(0, (2, -1)).unbind(1)
            return reduce(add, [pair_moments(anchor, *both) for both in ends])

        return reduce(add, in_parts(of_part, self.pairs, max(1, IMAGES_AT_ONCE // (2 * len(images)))))
