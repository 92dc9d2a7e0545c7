"""The block Gauss rule of a Lanczos run: what a spectrum's density is, as far as its starting vectors tell."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from purigeom.geometry.company import multiplied
from purigeom.geometry.spectrum.density import Density, density
from purigeom.geometry.spectrum.lanczos import Bidiagonal
from purigeom.geometry.spectrum.partial import rounding

CONVERGED = 0.01
"""A node whose residual is below this part of its distance to other nodes, and to zero, stands for what is there."""
BELIEVABLE = 3.0
"""Standard deviations by which settled nodes may outweigh as many singular values, and still count as just these."""


@dataclass(frozen=True)
class Gauss:
    """Nodes of a Gauss rule, largest first, (image, node), for a spectrum of `size` singular values.

    Attributes
    ----------
    nodes
        Ritz values of the run.
    residuals
        How far from each there is a singular value, at most.
    weights
        The share of the spectrum that the starting vectors give each node.
    located
        Whether what a node stands for is where it is, not around it.
    settled
        Whether a node is, besides, taken for one singular value and no more. A Krylov space shows at most as many
        copies of a value as its blocks have vectors; weights show the others.
    size
        How many singular values there are.
    block
        How many vectors the run started from.
    """

    nodes: Tensor
    residuals: Tensor
    weights: Tensor
    located: Tensor
    settled: Tensor
    size: int
    block: int

    def density(self) -> Density:
        """Return the density in which every settled node has the share of one singular value.

        The starting vectors' luck is in the weights of the others only.
        """
        rest = self.weights.where(~self.settled, 0)
        rest = rest / rest.sum(-1, keepdim=True).clamp(min=torch.finfo(rest.dtype).tiny)
        left = 1 - self.settled.sum(-1, keepdim=True) / self.size
        weights = torch.where(self.settled, 1 / self.size, rest * left)
        return density(self.nodes, weights, self.located, self.block)

    def unexplained(self) -> Tensor:
        """Return by how much settled nodes outweigh as many singular values: copies no one has seen, or luck."""
        excess = self.weights.where(self.settled, 0).sum(-1) - self.settled.sum(-1) / self.size
        return excess.clamp(min=0)


def gauss(run: Bidiagonal) -> Gauss:
    """Return a run's rule, with weights averaged over its starting vectors."""
    left, nodes, right = torch.linalg.svd(run.middle.double())
    residuals = (
        multiplied(run.residual.double(), left[:, -run.block :]).norm(dim=-2) + rounding(run.right) * nodes[:, :1]
    )
    weights = right[..., : run.block].square().mean(-1)
    located = residuals <= CONVERGED * _apart(nodes, residuals)
    size = run.right.shape[1]
    return Gauss(nodes, residuals, weights, located, _settled(weights, located, run.block, size), size, run.block)


def _apart(nodes: Tensor, residuals: Tensor) -> Tensor:
    """Return every node's distance to the nearest that is not, as far as residuals tell, the same, or to zero."""
    distance = (nodes.unsqueeze(-1) - nodes.unsqueeze(-2)).abs()
    same = distance <= residuals.unsqueeze(-1) + residuals.unsqueeze(-2)
    return torch.minimum(distance.masked_fill(same, math.inf).amin(-1), nodes)


def _settled(weights: Tensor, located: Tensor, block: int, size: int) -> Tensor:
    """Return which located nodes are one singular value each: from the largest down, as long as weights allow it.

    Of n singular values, random starts see a share of n / size, give or take sqrt(2 n / block) / size.
    """
    count = located.cumsum(-1)
    share = weights.where(located, 0).cumsum(-1)
    allowed = (count + BELIEVABLE * (2 * count / block).sqrt()) / size
    last = torch.where(share <= allowed, count, 0).amax(-1, keepdim=True)
    return located & (count <= last)


def quadrature(run: Bidiagonal) -> Density:
    """Return the density that a run gives: `gauss(run).density()`."""
    return gauss(run).density()


def luck(rule: Gauss, share: Tensor, threshold: float) -> Tensor:
    """Return the standard error that random starting vectors leave in the share of what has not settled.

    A uniformly random unit vector of dimension n has a part p of its square in a given p n of the dimensions, with
    variance 2 p (1 - p) / n.
    """
    rest = 1 - rule.settled.sum(-1) / rule.size
    above = 1 - share - (rule.settled & (rule.nodes >= threshold)).sum(-1) / rule.size
    part = (above / rest.clamp(min=1 / rule.size)).clamp(0, 1)
    return rest * (2 * part * (1 - part) / (rule.block * rest * rule.size).clamp(min=1)).sqrt()


def misplaced(rule: Gauss, threshold: float) -> Tensor:
    """Return how much of the located nodes' weight may lie across a threshold.

    Of a vector with residual r at a node, no more than (r / d)^2 belongs to singular values further off than d.
    """
    distance = (rule.nodes - threshold).abs().clamp(min=math.ulp(threshold))
    across = (rule.residuals / distance).square().clamp(max=1)
    weights = rule.density().weights.flip(-1)  # a density ascends, a rule descends
    return (weights * across).where(rule.located, 0).sum(-1)
