"""The smallest radius at which an attack succeeds, image by image."""

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from purigeom.attacks.adversary import Attack
from purigeom.attacks.ball import check_radius
from purigeom.defence.checks import check_labels, labels_of
from purigeom.defence.target import Target
from purigeom.geometry.distances import l2, linf
from purigeom.measurements.attacked import answers, attacked, unbroken
from purigeom.protocols import Batch
from purigeom.settings import check_counts, check_lengths


@dataclass(frozen=True)
class Bisection:
    """Attack within the largest radius, then halve the bracket of every image that fell.

    Images that stand at the same radius travel together, so that any attack will do, whose radius is one number. The
    answer is the distance of the nearest wrong answer found: an upper bound, never more than the least radius that
    succeeded, and as fine as `largest / 2**halvings` where success is monotone in the radius.

    Parameters
    ----------
    attack
        The search within a radius.
    largest
        The radius it begins with, in the attack's norm.
    halvings
        How often the bracket is halved.
    """

    version: ClassVar[int] = 1
    attack: Attack
    largest: float
    halvings: int = 7

    def __post_init__(self) -> None:
        check_counts(self, "halvings")
        check_lengths(self, "largest")
        check_radius(self.attack, self.attack.norm, self.largest)

    def __call__(self, target: Target, batch: Batch) -> Tensor:
        """Return every image's distance; zero where it is wrong itself, infinite where the largest radius fails.

        Where a gradient broke, and so nothing was found, it is NaN.
        """
        nearest = torch.where(_wrong(target, batch), 0, torch.inf).to(batch.images.dtype)
        whole = 2**self.halvings
        low, high = [0] * len(batch), [2 * whole] * len(batch)
        for _ in range(self.halvings + 1):
            waiting: dict[int, list[int]] = {}
            for row in (nearest > 0).nonzero().flatten().tolist():
                if (low[row] + high[row]) // 2 <= whole:  # the largest radius has not failed
                    waiting.setdefault((low[row] + high[row]) // 2, []).append(row)
            for middle, rows in waiting.items():
                found = self._found(target[rows], _rows(batch, rows), self.largest * middle / whole)
                nearest[rows] = torch.minimum(nearest[rows], found)
                for row, fell in zip(rows, found.isfinite().tolist(), strict=True):
                    (high if fell else low)[row] = middle
        return torch.where(nearest.isinf(), unbroken(nearest, target), nearest)

    def _found(self, target: Target, batch: Batch, radius: float) -> Tensor:
        """Return how far the attacked images are, infinity where they are classified right."""
        images = attacked(target, self.attack, batch, radius)
        distance = {"linf": linf, "l2": l2}[self.attack.norm](images, batch.images)
        return distance.where(_wrong(target, replace(batch, images=images)), torch.inf)


def _wrong(target: Target, batch: Batch) -> Tensor:
    """Return which images are classified wrong; no answer is not a wrong one."""
    logits = answers(target, batch.images)
    wrong = logits.argmax(1) != check_labels(labels_of(batch), logits.shape[1]).to(logits.device)
    return wrong & logits.isfinite().all(1)


def _rows(batch: Batch, rows: list[int]) -> Batch:
    ids = tuple(batch.image_ids[row] for row in rows)
    return Batch(batch.images[rows], labels_of(batch)[rows], ids)
