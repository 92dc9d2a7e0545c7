"""How singular values are spread, as a few nodes with weights: what Gauss quadrature knows of a spectrum."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Density:
    """A spectrum's distribution: singular values `nodes`, ascending, of the share `weights`, both (image, node).

    Where `atoms` is true, what a node stands for is at the node; elsewhere it lies around it. A block rule's nodes come
    in bunches of as many as its blocks have vectors.
    """

    nodes: Tensor
    weights: Tensor
    atoms: Tensor
    bunch: int = 1

    def share_below(self, threshold: float) -> Tensor:
        """Return the share of singular values below a threshold, per image.

        What is not at its node is spread: half of what every bunch of neighbours stands for lies below their mean, and
        between such means the share is interpolated. The bare steps of a rule are several times further off.
        """
        at = (self.weights * (self.atoms & (self.nodes < threshold))).sum(-1)
        rows = zip(self.nodes, self.weights, ~self.atoms & (self.weights > 0), strict=True)
        around = [_spread_below(nodes[free], weights[free], self.bunch, threshold) for nodes, weights, free in rows]
        return at + torch.stack(around)

    def root_mean_square(self) -> Tensor:
        """Return the root of the mean squared singular value, per image."""
        return (self.weights * self.nodes.square()).sum(-1).sqrt()


def density(values: Tensor, weights: Tensor, atoms: Tensor | None = None, bunch: int = 1) -> Density:
    """Return the density of values in any order, whose weights are scaled to one in sum; without atoms unless told."""
    nodes, order = values.sort(-1)
    weights = weights.gather(-1, order)
    atoms = torch.zeros_like(nodes, dtype=torch.bool) if atoms is None else atoms.gather(-1, order)
    return Density(nodes, weights / weights.sum(-1, keepdim=True), atoms, bunch)


def exact_density(singular_values: Tensor) -> Density:
    """Return the density of all singular values, shape (image, mode), each of the same weight."""
    one = torch.ones_like(singular_values)
    return density(singular_values, one, one.bool())


def _spread_below(nodes: Tensor, weights: Tensor, bunch: int, threshold: float) -> Tensor:
    """Return what is below a threshold of the weights of one image's nodes, each spread among its neighbours."""
    if not len(nodes):
        return weights.new_zeros(())
    width = min(bunch, len(nodes))
    sums = torch.cat([weights.new_zeros(1), weights.cumsum(0)])
    together = weights.unfold(0, width, 1).sum(1)
    means = (weights * nodes).unfold(0, width, 1).sum(1) / together
    places = torch.cat([nodes[:1], means, nodes[-1:]])
    heights = torch.cat([sums[:1], sums[:-width] + together / 2, sums[-1:]])
    below = int((places < threshold).sum())
    if below in (0, len(places)):
        return heights[0] if below == 0 else heights[-1]
    along = (threshold - places[below - 1]) / (places[below] - places[below - 1])
    return heights[below - 1] + along * (heights[below] - heights[below - 1])
