"""What random displacements do to class margins, and the most that the worst one of their length could do."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class MarginMoments:
    """Sums over pairs of opposite displacements, from which spread and bend follow; two of them add up.

    Attributes
    ----------
    odd, even
        Sums of squares of the odd and even part of each margin's change, (image, class).
    kept
        How many displaced images were classified right.
    pairs
        Number of pairs.
    """

    odd: Tensor
    even: Tensor
    kept: Tensor
    pairs: int

    def __add__(self, other: "MarginMoments") -> "MarginMoments":
        return MarginMoments(
            self.odd + other.odd, self.even + other.even, self.kept + other.kept, self.pairs + other.pairs
        )


def margins(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the true logit less each other one, (image, class); infinite at the true class, which takes nothing.

    Examples
    --------
    >>> margins(torch.tensor([[3.0, 1.0, -1.0]]), torch.tensor([0])).tolist()
    [[inf, 2.0, 4.0]]
    """
    right = logits.gather(1, labels.unsqueeze(1))
    return (right - logits).scatter(1, labels.unsqueeze(1), torch.inf)


def pair_moments(anchor: Tensor, ahead: Tensor, behind: Tensor) -> MarginMoments:
    """Return the moments of one pair: margins at the anchor, and at both ends of a displacement and its opposite."""
    finite = anchor.isfinite()
    odd, even = ((ahead - behind) / 2).where(finite, 0), ((ahead + behind) / 2 - anchor).where(finite, 0)
    kept = (ahead.amin(1) > 0).int() + (behind.amin(1) > 0).int()
    return MarginMoments(odd.square(), even.square(), kept, 1)


def worst_losses(moments: MarginMoments, pixels: int) -> Tensor:
    """Return about how much each margin can lose in the linf ball whose corners the displacements were, (image, class).

    Under random signs of length r the margin's standard deviation is r |g|_2, g its gradient; the worst loss is
    r |g|_1, which is sqrt(2 D / pi) times that for gradients whose D numbers are as if normal.
    """
    return math.sqrt(2 * pixels / math.pi) * (moments.odd / moments.pairs).sqrt()


def margin_ratio(anchor: Tensor, moments: MarginMoments, pixels: int) -> tuple[Tensor, Tensor]:
    """Return the least of margin over worst loss, and how bent that class's margin is."""
    ratios = anchor / worst_losses(moments, pixels)
    least = ratios.nan_to_num(0, torch.inf, -torch.inf).min(1)  # a margin of zero that nothing moves is no margin
    chosen = least.indices.unsqueeze(1)
    bend = (moments.even.gather(1, chosen) / moments.odd.gather(1, chosen)).sqrt().squeeze(1)
    return least.values, bend


def room(images: Tensor, radius: float) -> Tensor:
    """Return the share of a linf ball's reach that [0, 1] leaves, on average over pixels and directions.

    Examples
    --------
    >>> room(torch.tensor([[0.5, 0.5], [0.5, 1.0]]), 0.1).tolist()
    [1.0, 0.75]
    """
    pixels = images.flatten(1)
    return (pixels.clamp(0, radius) + (1 - pixels).clamp(0, radius)).mean(1) / (2 * radius)
