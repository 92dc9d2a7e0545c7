"""Whether a map's derivatives are its derivatives: pushes against pulls, and both against differences."""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from purigeom.geometry.differences import Differences, balanced_step
from purigeom.geometry.jacobian import Jacobian
from purigeom.geometry.matrices import normal_vectors
from purigeom.geometry.precision import ROUNDINGS, narrowest
from purigeom.noise import Noise

ADJOINT_TOLERANCE = 1e-3
"""Of the product's length, or a few roundings of the narrowest numbers in the map; float32 gives 1e-5."""
DIFFERENCE_TOLERANCE = 0.1
"""Of the longer one's length, beyond what differences themselves may be off: kinks cost a few per cent."""


@dataclass(frozen=True)
class Agreement:
    """How well derivatives agree, one number per image.

    Attributes
    ----------
    adjoint_gap
        |<u, Jv> - <J'u, v>|, relative to |u| |Jv|.
    difference_gap
        How far pushes are from central differences, relative to the longer of the two.
    difference_error
        How far differences themselves may be off, relative to the same.
    stretch
        The length of pushes, relative to that of what was pushed.
    rounding
        The machine precision of the narrowest numbers that the map computes with.
    """

    adjoint_gap: Tensor
    difference_gap: Tensor
    difference_error: Tensor
    stretch: Tensor
    rounding: float

    @property
    def fault(self) -> str:
        """Return what is wrong with the derivatives, in words; empty where nothing is."""
        if (self.adjoint_gap > max(ADJOINT_TOLERANCE, ROUNDINGS * self.rounding)).any():
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


@torch.no_grad()
def agreement(jacobian: Jacobian, noise: Noise, vectors: int = 2) -> Agreement:
    """Compare products with random vectors: <u, Jv> with <J'u, v>, and Jv with differences of the map itself."""
    _, rounding = narrowest(partial(jacobian.image_map, jacobian.images))
    tangents = normal_vectors(jacobian, noise.child("tangent"), vectors)
    pushed = jacobian.push(tangents)
    cotangents = _half_along(pushed, noise.child("cotangent").normal_like(pushed))
    scale = (cotangents.norm(dim=1) * pushed.norm(dim=1)).clamp(min=torch.finfo(pushed.dtype).tiny)
    gap = ((cotangents * pushed).sum(1) - (jacobian.pull(cotangents) * tangents).sum(1)).abs() / scale
    step = balanced_step(max(rounding, torch.finfo(pushed.dtype).eps))
    moved, error = Differences(jacobian.image_map, jacobian.images, step).push_with_error(tangents)
    length = torch.maximum(moved.norm(dim=1), pushed.norm(dim=1))
    apart, off = ((part / length).nan_to_num(0).amax(1) for part in ((pushed - moved).norm(dim=1), error))
    return Agreement(gap.amax(1), apart, off, (pushed.norm(dim=1) / tangents.norm(dim=1)).amax(1), rounding)


def _half_along(pushed: Tensor, random: Tensor) -> Tensor:
    """Return random vectors with as much again along what was pushed: a pull that forgets it shows in any dimension."""
    length = pushed.norm(dim=1, keepdim=True)
    return random + (pushed * (random.norm(dim=1, keepdim=True) / length)).where(length > 0, 0)
