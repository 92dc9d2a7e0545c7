"""The share of singular values below a threshold, from a Lanczos run, with its error and its bounds."""

import torch
from torch import Tensor

from purigeom.geometry.company import image_by_image
from purigeom.geometry.spectrum.bracket import count_bracket
from purigeom.geometry.spectrum.deflation import Remainder
from purigeom.geometry.spectrum.gauss import gauss, luck, misplaced, quadrature
from purigeom.geometry.spectrum.lanczos import Bidiagonal, leading_triplets
from purigeom.geometry.spectrum.partial import rounding

INTERPOLATION = 0.15
"""How far interpolation is off, as a part of the weight of the nodes around the threshold: measured, not derived."""


def quadrature_share(run: Bidiagonal, threshold: float) -> tuple[Tensor, Tensor]:
    """Return the share that the Gauss rule gives, and how far it may be off, per image.

    The error is two standard deviations of five joined: the luck of the starting vectors, what the last step still
    changed, how coarse the nodes are around the threshold, how much lies across it, and what settled nodes do not
    explain.
    """
    rule = gauss(run)
    found = rule.density()
    share = found.share_below(threshold)
    before = quadrature(run.after(run.steps - 1)).share_below(threshold) if run.steps > 1 else 1 - share
    below = torch.where(found.nodes < threshold, found.nodes, -1).argmax(-1, keepdim=True)
    above = (below + 1).clamp(max=found.nodes.shape[-1] - 1)
    spread = found.weights.where(~found.atoms, 0)
    coarse = (spread.gather(-1, below) + spread.gather(-1, above)).squeeze(-1) / 2
    parts = (
        luck(rule, share, threshold),
        share - before,
        INTERPOLATION * coarse,
        misplaced(rule, threshold),
        rule.unexplained(),
    )
    error = sum((part.square() for part in parts), torch.zeros_like(share)).sqrt()
    return share, 2 * error + 0.5 / rule.size


def bracketed_share(run: Bidiagonal, beyond: Remainder, threshold: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return share, error, least and most: the Gauss rule's, held between the bounds that counting gives.

    A value on the threshold, to rounding, counts towards both bounds.
    """
    values = leading_triplets(run, run.middle.shape[-1]).values.double()
    size, edge = run.right.shape[1], rounding(run.right)
    remainder = image_by_image(torch.sum, run.residual.double().square()) + beyond.value + 2 * beyond.error
    fewest, _ = count_bracket(values, remainder, threshold * (1 + edge), size)
    _, most = count_bracket(values, remainder, threshold * (1 - edge), size)
    least_share, most_share = 1 - most.double() / size, 1 - fewest.double() / size
    share, error = quadrature_share(run, threshold)
    return share.clamp(least_share, most_share), torch.minimum(error, most_share - least_share), least_share, most_share
