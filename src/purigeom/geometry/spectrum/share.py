"""The share of singular values below a threshold, from a Lanczos run, with its error and its bounds."""

import torch
from torch import Tensor

from purigeom.geometry.spectrum.bracket import count_bracket
from purigeom.geometry.spectrum.deflation import Remainder
from purigeom.geometry.spectrum.lanczos import Bidiagonal, leading_triplets, quadrature, rule

INTERPOLATION = 0.15
"""How far interpolation is off, as a part of the weight of the nodes around the threshold: measured, not derived."""


def quadrature_share(run: Bidiagonal, threshold: float) -> tuple[Tensor, Tensor]:
    """Return the share that the Gauss rule gives, and how far it may be off, per image.

    The error joins three: the luck of the starting vectors, what the last step still changed, and how coarse
    the nodes are around the threshold.
    """
    found = quadrature(run)
    share = found.share_below(threshold)
    before = quadrature(run.after(run.steps - 1)).share_below(threshold) if run.steps > 1 else 1 - share
    below = torch.where(found.nodes < threshold, found.nodes, -1).argmax(-1, keepdim=True)
    above = (below + 1).clamp(max=found.nodes.shape[-1] - 1)
    coarse = (found.weights.gather(-1, below) + found.weights.gather(-1, above)).squeeze(-1) / 2
    parts = (_luck(run, share, threshold), share - before, INTERPOLATION * coarse)
    error = sum((part.square() for part in parts), torch.zeros_like(share)).sqrt()
    return share, error + 0.25 / run.right.shape[1]


def bracketed_share(run: Bidiagonal, beyond: Remainder, threshold: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return share, error, least and most: the Gauss rule's, held between the bounds that counting gives."""
    values = leading_triplets(run, run.middle.shape[-1]).values.double()
    size = run.right.shape[1]
    fewest, most = count_bracket(values, beyond.value + 2 * beyond.error, threshold, size)
    least_share, most_share = 1 - most / size, 1 - fewest / size
    share, error = quadrature_share(run, threshold)
    return share.clamp(least_share, most_share), torch.minimum(error, most_share - least_share), least_share, most_share


def _luck(run: Bidiagonal, share: Tensor, threshold: float) -> Tensor:
    """Return the standard error that random starting vectors leave in the share of what has not converged.

    A uniformly random unit vector of dimension n has a part p of its square in a given p n of the dimensions, with
    variance 2 p (1 - p) / n.
    """
    values, _, settled = rule(run)
    size = run.right.shape[1]
    rest = 1 - settled.sum(-1) / size
    above = 1 - share - (settled & (values >= threshold)).sum(-1) / size
    part = (above / rest.clamp(min=1 / size)).clamp(0, 1)
    return rest * (2 * part * (1 - part) / (run.block * rest * size).clamp(min=1)).sqrt()
