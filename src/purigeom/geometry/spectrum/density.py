"""How singular values are spread, as a few nodes with weights: what Gauss quadrature knows of a spectrum."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Density:
    """A spectrum's distribution: singular values `nodes`, ascending, of the share `weights`, both (image, node)."""

    nodes: Tensor
    weights: Tensor

    def share_below(self, threshold: float) -> Tensor:
        """Return the share of singular values below a threshold, per image.

        Half of a node's weight lies on either side of it; between nodes the share is interpolated. The bare
        steps of the rule are up to three times further off.
        """
        halfway = self.weights.cumsum(-1) - self.weights / 2
        below = (self.nodes < threshold).sum(-1, keepdim=True)
        last = self.nodes.shape[-1] - 1
        lower, upper = (below - 1).clamp(0, last), below.clamp(0, last)
        low, high = self.nodes.gather(-1, lower), self.nodes.gather(-1, upper)
        start, end = halfway.gather(-1, lower), halfway.gather(-1, upper)
        along = ((threshold - low) / (high - low)).nan_to_num(0, 0, 0).clamp(0, 1)
        share = start + along * (end - start)
        share = share.where(below > 0, 0).where(below <= last, 1)
        return share.squeeze(-1)

    def root_mean_square(self) -> Tensor:
        """Return the root of the mean squared singular value, per image."""
        return (self.weights * self.nodes.square()).sum(-1).sqrt()


def density(values: Tensor, weights: Tensor) -> Density:
    """Return the density of values in any order, whose weights are scaled to one in sum."""
    nodes, order = values.sort(-1)
    weights = weights.gather(-1, order)
    return Density(nodes, weights / weights.sum(-1, keepdim=True))


def exact_density(singular_values: Tensor) -> Density:
    """Return the density of all singular values, shape (image, mode), each of the same weight."""
    return density(singular_values, torch.ones_like(singular_values))
