"""Code that does more than compute: differentiated exactly all the same, or refused with a reason."""

import numpy as np
import pytest
import torch
from torch import nn

from purigeom.geometry.dual.number import StackError
from purigeom.geometry.through import pushed
from tests.geometry.dual.agreement import assert_pushed_as_by_torch, assert_same, by_torch, fixed, on_stacks

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
        return cotangent


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
    with torch.enable_grad():
        start = x.detach().requires_grad_(True)
        return x - torch.autograd.grad(start.pow(4).sum(), start)[0]


def guided_by_a_clone(x):
    with torch.enable_grad():
        start = x.detach().clone().requires_grad_(True)
        return x - torch.autograd.grad(start.pow(4).sum(), start)[0]


REFUSED = {
    "autograd.grad": guided,
    "autograd.grad of a clone": guided_by_a_clone,
    "numpy": lambda x: x + torch.from_numpy(np.sort(x.numpy(), -1)),
    "asarray": lambda x: x + torch.from_numpy(np.asarray(x) ** 2),
    "autograd.Function without jvp": BackwardOnly.apply,
    "dropout": nn.Dropout(),
}


@pytest.mark.parametrize("step", REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_differentiated_forward_is_refused_with_advice(step) -> None:
    with pytest.raises(RuntimeError, match=r"on stacks, .*; by torch.func.jvp, .*purigeom.geometry.differences"):
        pushed(step, IMAGES, TANGENTS)
