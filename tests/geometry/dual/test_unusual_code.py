"""Code that does more than compute: differentiated exactly all the same, or refused with a reason."""

import re

import numpy as np
import pytest
import torch
from torch import nn

from purigeom.geometry.agreement import agreement
from purigeom.geometry.dual.number import StackError
from purigeom.geometry.jacobian import Jacobian
from purigeom.noise import Noise
from tests.geometry.dual.agreement import assert_pushed_as_by_torch, assert_same, by_torch, fixed, on_stacks, pushed

IMAGES, TANGENTS = fixed(4, 4, 8, 8), fixed(3, 4, 4, 8, 8, seed=1)


class Rounded(torch.autograd.Function):
    """Rounds, and says that its slope is one."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x):
        return x.round() + x * 0

    @staticmethod
    def setup_context(ctx, inputs, output):
        pass

    @staticmethod
    def backward(ctx, cotangent):
        return cotangent

    @staticmethod
    def jvp(ctx, tangent):
        return tangent.clone()


class BackwardOnly(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, cotangent):
        return cotangent * 2


def branching(x):
    return x.sin() if x.mean() > 0 and x[0, 0, 0, 0].item() < 9 else x.cos()


def without_gradients(x):
    with torch.no_grad():
        return x * x.sin()


def looked_at(x):
    assert x.detach().cpu().numpy().shape == x.shape
    return x.square() / float(np.asarray(x.detach()).max())


def filled(x):
    new = x.new_zeros(x.shape)
    for place, row in enumerate(x):
        new[place] = row.sin()
    return new


EXACT = {
    "straight through by detach": lambda x: x + (x.round() - x).detach() * x,
    "control flow": branching,
    "no_grad": without_gradients,
    "torch.func.grad": lambda x: x - torch.func.grad(lambda y: y.pow(4).sum())(x),
    "torch.func.vmap": torch.func.vmap(lambda y: y / y.norm()),
    "autograd.Function with jvp": lambda x: Rounded.apply(x * 3).sin(),
    "buffer": filled,
}


@pytest.mark.parametrize("step", EXACT.values(), ids=EXACT.keys())
def test_unusual_code_is_differentiated_as_torch_does(step) -> None:
    assert_pushed_as_by_torch(step, IMAGES, TANGENTS)


def test_what_is_detached_goes_on_as_a_constant_even_through_numpy() -> None:
    answer, _ = on_stacks(looked_at, IMAGES, TANGENTS)
    assert_same((answer.stack[1:],), (2 * IMAGES * TANGENTS / float(IMAGES.max()),))


def test_inference_mode_within_a_step_does_not_drop_tangents() -> None:
    def inferred(x):
        with torch.inference_mode():
            return x * x

    with torch.no_grad():
        assert_same(pushed(inferred, IMAGES, TANGENTS), (IMAGES.square(), 2 * IMAGES * TANGENTS))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_scripted_function_is_differentiated_as_torch_does() -> None:
    def gate(x: torch.Tensor) -> torch.Tensor:
        return torch.tanh(x) * 2 + x

    scripted = torch.jit.trace(gate, IMAGES)
    with pytest.raises((StackError, RuntimeError)):
        on_stacks(scripted, IMAGES, TANGENTS)
    assert_same(pushed(scripted, IMAGES, TANGENTS), by_torch(gate, IMAGES, TANGENTS))


def guided(x):
    """Step down an energy, as guided purifiers do, without a graph of the gradient."""
    with torch.enable_grad():
        start = x.detach().clone().requires_grad_(True)
        return x - torch.autograd.grad(start.pow(4).sum(), start)[0]


def guided_with_a_graph(x):
    with torch.enable_grad():
        start = x.requires_grad_()
        return x - torch.autograd.grad(start.pow(4).sum(), start, create_graph=True)[0]


def checkpointed(x):
    return torch.utils.checkpoint.checkpoint(torch.sin, x, use_reentrant=True)


class StraightThrough(BackwardOnly):
    """Rounds, and passes cotangents as they are, in code that takes one of them at a time."""

    @staticmethod
    def forward(ctx, x):
        return x.round()

    @staticmethod
    def backward(ctx, cotangent):
        return cotangent * (2 if cotangent.sum().item() > 1e9 else 1)


BY_PULL = {
    "autograd.Function without setup_context": (lambda x: BackwardOnly.apply(x.sin()), lambda x: 2 * x.cos()),
    "straight through": (lambda x: StraightThrough.apply(x * 3).sin(), lambda x: 3 * (x * 3).round().cos()),
    "autograd.grad": (guided_with_a_graph, lambda x: 1 - 12 * x**2),
    "autograd.grad of a constant": (guided, torch.ones_like),
    "requires_grad_": (lambda x: x.requires_grad_().square(), lambda x: 2 * x),
}


@pytest.mark.parametrize(("step", "slope"), BY_PULL.values(), ids=BY_PULL.keys())
def test_what_has_no_forward_derivative_is_pushed_by_the_adjoint_of_its_pull_and_says_so(step, slope) -> None:
    jacobian = Jacobian(step, IMAGES)
    vectors = TANGENTS.movedim(0, -1).flatten(1, 3)
    expected = slope(IMAGES).flatten(1).unsqueeze(-1) * vectors
    assert_same((jacobian.push(vectors), jacobian.pull(vectors)), (expected, expected))
    (route,) = jacobian.routes
    assert re.match("on stacks, .*; by torch.func.jvp, ", route.by_pull)
    assert not IMAGES.requires_grad


@pytest.mark.parametrize("step", [BY_PULL["straight through"][0], guided], ids=["straight through", "a constant"])
def test_a_slope_that_is_not_the_map_s_own_is_found_by_differences(step) -> None:
    found = agreement(Jacobian(step, IMAGES), Noise(0, (0, 1, 2, 3)))
    assert (found.adjoint_gap < 1e-9).all()
    assert "derivatives differ from finite differences" in found.fault


def test_a_graph_that_does_not_reach_the_input_is_refused_not_taken_for_a_slope_of_zero() -> None:
    def cut(x):
        with torch.enable_grad():
            start = x.detach().requires_grad_()
            return torch.autograd.grad(start.pow(4).sum(), start, create_graph=True)[0]

    jacobian = Jacobian(cut, IMAGES)
    for product, way in ((jacobian.push, "the adjoint of its pull"), (jacobian.pull, "autograd")):
        with pytest.raises(RuntimeError, match=f"by {way}, RuntimeError: .*not .*used in the graph"):
            product(TANGENTS.movedim(0, -1).flatten(1, 3))


REFUSED = {
    "numpy": lambda x: x + torch.from_numpy(np.sort(x.numpy(), -1)),
    "asarray": lambda x: x + torch.from_numpy(np.asarray(x) ** 2),
    "reentrant checkpoint": checkpointed,
}


@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")  # torch's, of reentrant checkpoints
@pytest.mark.parametrize("step", REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_differentiated_forward_is_refused_with_advice(step) -> None:
    advice = r"setup_context and generate_vmap_rule = True, .*use_reentrant=False.*purigeom.geometry.differences"
    ways = r"on stacks, .*; by torch.func.jvp, .*; by the adjoint of its pull, "
    with pytest.raises(RuntimeError, match=ways + f".*{advice}"):
        pushed(step, IMAGES, TANGENTS)


def test_what_draws_anew_is_no_map() -> None:
    with pytest.raises(RuntimeError, match="hides randomness"):
        pushed(nn.Dropout(), IMAGES, TANGENTS)
