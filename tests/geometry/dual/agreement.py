"""What stacked duals give, and what torch's own forward mode gives: the two that must agree."""

from unittest import mock

import numpy as np
import torch
from torch.func import jvp, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from purigeom.geometry.chain import REPLAY_TOLERANCE, Chain
from purigeom.geometry.dual.number import Dual, recorded
from purigeom.geometry.forward import pushed as pushed_through


def fixed(*shape, seed: int = 0) -> torch.Tensor:
    """Return normal numbers, always the same; drawn by numpy, since torch refuses to draw within vmap."""
    return torch.from_numpy(np.random.default_rng([seed, *shape]).standard_normal(shape))


STATE = fixed(4, 4, 6, 6)
TANGENTS = fixed(3, 4, 4, 6, 6, seed=1)
"""As many rows as images and channels: a dimension taken for another would go unnoticed by shapes alone."""


def by_torch(step, state=STATE, tangents=TANGENTS):
    with sdpa_kernel(SDPBackend.MATH), torch.no_grad(), mock.patch("torch.backends.mha.get_fastpath_enabled", bool):
        return step(state), vmap(lambda tangent: jvp(step, (state,), (tangent,))[1])(tangents)


def on_stacks(step, state=STATE, tangents=TANGENTS):
    """Return the answer, a dual or not, and how often each function went which way."""
    with recorded() as taken, torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
        return step(Dual(torch.cat([state[None], tangents]))), taken


def pushed(step, state=STATE, tangents=TANGENTS):
    """Return what a step makes of a state and of tangents there, by the first way that is open."""
    with torch.no_grad():
        states = [state, step(state.clone())]
        along, _ = pushed_through(Chain((step,)), states, 0, tangents, REPLAY_TOLERANCE)
    return states[1], along


def ways(taken) -> set[str]:
    return {way for way, _ in taken}


def assert_pushed_as_by_torch(step, state=STATE, tangents=TANGENTS, tolerance=1e-12) -> None:
    assert_same(pushed(step, state, tangents), by_torch(step, state, tangents), tolerance)


def assert_same(found, expected, tolerance=1e-12) -> None:
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other.to(one.dtype), rtol=tolerance, atol=tolerance)
