"""How far from losing the right class an image is, from random displacements and forward passes alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import torch
import xarray as xr
from torch import Tensor

from purigeom.contract import Checked
from purigeom.defence.checks import check_labels, check_logits, labels_of
from purigeom.defence.defended import Defended
from purigeom.geometry.margins import (
    PART,
    acceleration,
    bend,
    downhill,
    margin_ratio,
    margins,
    moved_share,
    of_class,
    paired_changes,
    room,
)
from purigeom.geometry.memory import in_parts
from purigeom.measurements.configuration import check_settings, configurations, labelled
from purigeom.measurements.points import at_once, displacements
from purigeom.noise import Noise
from purigeom.protocols import Batch, Classifier, RandomMap
from purigeom.schema import (
    ANCHOR_MARGIN,
    CLASSIFIED,
    MARGIN_ACCELERATION,
    MARGIN_BEND,
    MARGIN_RATIO,
    MOVED_SHARE,
    RANDOM_KEPT,
    ROOM,
)

Answered: TypeAlias = Callable[[Tensor], tuple[Tensor, Tensor]]
"""From points (point, *images) to what becomes of them and to their margins."""

_PROBED = (MARGIN_RATIO, MOVED_SHARE, MARGIN_BEND, MARGIN_ACCELERATION, RANDOM_KEPT)


@dataclass(frozen=True)
class Margins:
    """Displace each image by random signs and their opposites, and see what becomes of every class margin.

    Two more displacements go where those say that the nearest class's margin falls most, a quarter of the way and all
    of it. No gradient is taken of anything. Displaced images are not brought back to [0, 1]: `room` says how much of
    the ball that leaves.

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

    version: ClassVar[int] = 4
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
        probed = zip((*_PROBED, ROOM), (*moved, left), strict=True)
        found = [(CLASSIFIED, anchor > 0), (ANCHOR_MARGIN, anchor)]
        found += [(variable, facts.transpose(0, 1)) for variable, facts in probed]
        return labelled(found, batch, self.draws, radius=self.radii)

    def _of_draw(self, defence: Defended, batch: Batch, noise: Noise, pinned: Noise) -> tuple[Tensor, ...]:
        """Return the margins at the anchors, (image), and the facts of every radius, (radius, image)."""
        labels, shape, classify = labels_of(batch), tuple(batch.images.shape[1:]), defence.classifier.load()

        def answered(points: Tensor) -> tuple[Tensor, Tensor]:
            """Return the purified images and their margins, a point after another in front."""
            purified = defence.purifier.pin(pinned.repeat(len(points)), shape)(points.flatten(0, 1))
            logits = classify(purified)
            check_logits(logits, defence)
            found = margins(logits, check_labels(labels, logits.shape[1]).repeat(len(points)))
            return tuple(part.unflatten(0, points.shape[:2]) for part in (purified, found))

        anchors, anchor = (part[0] for part in answered(batch.images[None]))
        facts = [self._at(radius, answered, batch.images, (anchors, anchor), noise) for radius in self.radii]
        return anchor.amin(1), *(torch.stack(parts) for parts in zip(*facts, strict=True))

    def _at(
        self, radius: float, answered: Answered, images: Tensor, anchored: tuple[Tensor, Tensor], noise: Noise
    ) -> tuple[Tensor, ...]:
        """Return one radius' facts, (image), in the order of their variables."""
        (anchors, anchor), moves = anchored, displacements(noise, self.pairs)
        purified, ends = self._ends(radius, answered, images, moves)
        changes = paired_changes(anchor, *ends)
        moved = moved_share(purified.flatten(0, 1) - anchors)
        ratio, classes = margin_ratio(anchor, changes, images[0].numel())
        corner = radius * downhill(of_class(changes.odd, classes), (move.sign_like(images) for move in moves))
        _, informed = answered(torch.stack([images + PART * corner, images + corner]))
        sped = acceleration(of_class(anchor, classes), *of_class(informed, classes))
        return ratio, moved, bend(changes, classes), sped, changes.kept.sum(0) / (2 * self.pairs)

    def _ends(self, radius: float, answered: Answered, images: Tensor, moves: Sequence[Noise]) -> tuple[Tensor, Tensor]:
        """Return purified images and margins at both ends of every pair, (2, pair, image, ...)."""

        def of_part(part: slice) -> tuple[Tensor, ...]:
            signs = torch.stack([radius * move.sign_like(images) for move in moves[part]])
            return tuple(part.unflatten(0, (2, -1)) for part in answered(torch.cat([images + signs, images - signs])))

        parts = in_parts(of_part, self.pairs, max(1, at_once(images) // (2 * len(images))))
        purified, ends = (torch.cat(some, 1) for some in zip(*parts, strict=True))
        return purified, ends
