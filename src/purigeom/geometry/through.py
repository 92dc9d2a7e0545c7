"""Carry many vectors through a chain, step by step: tangents forward on stacks, cotangents backward by replay."""

import torch
from torch import Tensor

from purigeom.geometry.backward import pulled_anyhow
from purigeom.geometry.chain import Chain
from purigeom.geometry.forward import Route, pushed


class NotFiniteError(ValueError):
    """Raised where vectors become NaN or infinite: in which step, and for which image of the batch."""

    def __init__(self, kind: str, step: int, steps: int, place: int) -> None:
        super().__init__(
            f"{kind} become NaN or infinite in step {step} of {steps}, for image {place} of the batch. Look at that "
            "step's slope there: a root or logarithm of zero, or a norm of nothing, has none."
        )
        self.place = place


def push_through(chain: Chain, states: list[Tensor], tangents: Tensor, tolerance: float) -> Tensor:
    """Push tangents of shape (probe, *images) of the first state to the last, and check every step's."""
    for index in range(len(chain.steps)):
        tangents, _ = pushed(chain, states, index, tangents, tolerance)
        _check_finite(chain, index, tangents, "Tangents")
    return tangents


def pull_through(chain: Chain, states: list[Tensor], cotangents: Tensor, tolerance: float) -> Tensor:
    """Pull cotangents of shape (probe, *images) of the last state to the first, and check every step's."""
    for index in reversed(range(len(chain.steps))):
        cotangents = pulled_anyhow(chain, states, index, cotangents, tolerance)
        _check_finite(chain, index, cotangents, "Cotangents")
    return cotangents


def route(chain: Chain, states: list[Tensor], tolerance: float) -> tuple[Route, ...]:
    """Return the way through every step, found by pushing one tangent."""
    ones = [torch.ones_like(state)[None] for state in states[:-1]]
    return tuple(pushed(chain, states, index, tangent, tolerance)[1] for index, tangent in enumerate(ones))


def _check_finite(chain: Chain, index: int, vectors: Tensor, kind: str) -> None:
    if not vectors.isfinite().all():
        broken = (~vectors.isfinite()).transpose(0, 1).flatten(1).any(1)
        raise NotFiniteError(kind, index + 1, len(chain.steps), int(broken.nonzero()[0]))
