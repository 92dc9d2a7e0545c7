"""What random displacements do to class margins, and the most that the worst one of their length could do."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from purigeom.geometry.cloud import participation
from purigeom.geometry.company import image_by_image, mean_over_points
from purigeom.geometry.displacement import per_image

PART = 0.25
"""How much of a displacement is taken as small, where its whole is compared with it."""
ACCELERATIONS = (0.1, 10.0)
"""Between which accelerations are told apart: beyond, the small displacement moved next to nothing."""


@dataclass(frozen=True)
class PairedChanges:
    """How each margin changes along pairs of opposite displacements: (pair, image, class).

    Attributes
    ----------
    odd, even
        Half the difference, and half the sum, of its changes at both ends.
    kept
        How many ends are classified right, (pair, image).
    """

    odd: Tensor
    even: Tensor
    kept: Tensor

    @property
    def spread(self) -> Tensor:
        """The root mean square change of each margin, (image, class)."""
        return mean_over_points(self.odd.square() + self.even.square()).sqrt()


def margins(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the true logit less each other one, (image, class); infinite at the true class, which takes nothing.

    Examples
    --------
    >>> margins(torch.tensor([[3.0, 1.0, -1.0]]), torch.tensor([0])).tolist()
    [[inf, 2.0, 4.0]]
    """
    right = logits.gather(1, labels.unsqueeze(1))
    return (right - logits).scatter(1, labels.unsqueeze(1), torch.inf)


def paired_changes(anchor: Tensor, ahead: Tensor, behind: Tensor) -> PairedChanges:
    """Return the changes from margins at the anchors to those at both ends of every pair, (pair, image, class)."""
    finite = anchor.isfinite()
    odd, even = ((ahead - behind) / 2).where(finite, 0), ((ahead + behind) / 2 - anchor).where(finite, 0)
    return PairedChanges(odd, even, (ahead.amin(2) > 0).int() + (behind.amin(2) > 0).int())


def moved_share(displaced: Tensor) -> Tensor:
    """Return which share of all pixels the energy of purified displacements (probe, *images) is spread over.

    Their participation in the mean squares, over their number; one where nothing moves.

    Examples
    --------
    >>> moved_share(torch.tensor([[[[[0.1, -0.1], [0.0, 0.0]]]], [[[[-0.1, 0.1], [0.0, 0.0]]]]])).tolist()
    [0.5]
    """
    energy = mean_over_points(displaced.flatten(2).double().square())
    return (image_by_image(participation, energy) / energy.shape[1]).nan_to_num(1.0).to(displaced)


def worst_losses(changes: PairedChanges, pixels: int) -> Tensor:
    """Return about how much each margin can lose in the linf ball whose corners the displacements were, (image, class).

    Under random signs of length r a linear margin's standard deviation is r |g|_2, g its gradient; the worst loss is
    r |g|_1, which is sqrt(2 D / pi) times that for gradients whose D numbers are as if normal.
    """
    return math.sqrt(2 * pixels / math.pi) * changes.spread


def margin_ratio(anchor: Tensor, changes: PairedChanges, pixels: int) -> tuple[Tensor, Tensor]:
    """Return the least of margin over worst loss, (image), and the class it is of, (image)."""
    ratios = anchor / worst_losses(changes, pixels)
    least = ratios.nan_to_num(0, torch.inf, -torch.inf).min(1)  # a margin of zero that nothing moves is no margin
    return least.values, least.indices


def of_class(values: Tensor, classes: Tensor) -> Tensor:
    """Return one class's number of every image, where classes come last."""
    return values.gather(-1, classes.expand(values.shape[:-1]).unsqueeze(-1)).squeeze(-1)


def bend(changes: PairedChanges, classes: Tensor) -> Tensor:
    """Return the root mean square of the even part of a class's margin over that of its odd part; zero without any."""
    even, odd = (mean_over_points(of_class(part, classes).square()).sqrt() for part in (changes.even, changes.odd))
    return (even / odd).where(even > 0, 0)


def downhill(odd: Tensor, signs: Iterable[Tensor]) -> Tensor:
    """Return the corner of the unit ball along which changes (pair, image) along signs say a margin falls most."""
    slopes = torch.stack([per_image(one, sign) * sign for one, sign in zip(odd, signs, strict=True)])
    return -mean_over_points(slopes).sign()


def acceleration(start: Tensor, near: Tensor, far: Tensor) -> Tensor:
    """Return how much faster a margin falls over the whole of a displacement than over its first `PART`."""
    return (PART * (start - far) / (start - near)).nan_to_num(1.0).clamp(*ACCELERATIONS)


def room(images: Tensor, radius: float) -> Tensor:
    """Return the share of a linf ball's reach that [0, 1] leaves, on average over pixels and directions.

    Examples
    --------
    >>> room(torch.tensor([[0.5, 0.5], [0.5, 1.0]]), 0.1).tolist()
    [1.0, 0.75]
    """
    left = images.clamp(0, radius) + (1 - images).clamp(0, radius)
    return image_by_image(torch.mean, left) / (2 * radius)
