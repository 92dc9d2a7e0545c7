"""Whether a map's derivatives are its derivatives: pushes against pulls, and both against differences."""

from dataclasses import dataclass

import torch
from torch import Tensor

from purigeom.geometry.differences import Differences
from purigeom.geometry.jacobian import Jacobian
from purigeom.geometry.matrices import normal_vectors
from purigeom.noise import Noise

ADJOINT_TOLERANCE = 1e-3
"""Of the product's length; float32 gives 1e-5."""
DIFFERENCE_TOLERANCE = 0.1
"""Of the difference's length, beyond what differences themselves may be off: kinks cost a few per cent."""


@dataclass(frozen=True)
class Agreement:
    """How well derivatives agree, one number per image.

    Attributes
    ----------
    adjoint_gap
        |<u, Jv> - <J'u, v>|, relative to |u| |Jv|.
    difference_gap
        How far pushes are from central differences, relative to these.
    difference_error
        How far differences themselves may be off, relative to their length.
    """

    adjoint_gap: Tensor
    difference_gap: Tensor
    difference_error: Tensor

    @property
    def fault(self) -> str:
        """Return what is wrong with the derivatives, in words; empty where nothing is."""
        if (self.adjoint_gap > ADJOINT_TOLERANCE).any():
            return (
                f"pushed and pulled products disagree by {self.adjoint_gap.max():.2g}: part of the map leaves the "
                "graph in one direction only, by a custom backward, a hook or a change in place"
            )
        beyond = self.difference_gap - 3 * self.difference_error
        if (beyond > DIFFERENCE_TOLERANCE).any():
            return (
                f"derivatives differ from finite differences by {self.difference_gap.max():.2g}: part of the map "
                "leaves the graph, by detach, .data, numpy or rounding, or its slope is not its own"
            )
        return ""


def agreement(jacobian: Jacobian, noise: Noise, vectors: int = 2) -> Agreement:
    """Compare products with random vectors: <u, Jv> with <J'u, v>, and Jv with differences of the map itself."""
    tangents = normal_vectors(jacobian, noise.child("tangent"), vectors)
    cotangents = normal_vectors(jacobian, noise.child("cotangent"), vectors)
    pushed, pulled = jacobian.push(tangents), jacobian.pull(cotangents)
    scale = (cotangents.norm(dim=1) * pushed.norm(dim=1)).clamp(min=torch.finfo(pushed.dtype).tiny)
    gap = ((cotangents * pushed).sum(1) - (pulled * tangents).sum(1)).abs() / scale
    moved, error = Differences(jacobian.image_map, jacobian.images).push_with_error(tangents)
    length = moved.norm(dim=1)
    apart = ((pushed - moved).norm(dim=1) / length).nan_to_num(0, posinf=0)
    return Agreement(gap.amax(1), apart.amax(1), (error / length).nan_to_num(0, posinf=0).amax(1))
