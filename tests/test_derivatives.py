"""What is said of derivatives that are right, that are not, and that are not there."""

import pytest
import torch

from purigeom.catalog import PURIFIERS
from purigeom.derivatives import derivatives_told
from purigeom.images import Digits
from purigeom.noise import Noise
from purigeom.purifiers.wrapped import wrap

BATCH = Digits()[:2].load()
NOISE = Noise(0, BATCH.image_ids)


def told(function, **settings):
    return derivatives_told(wrap(function, name="mine", **settings), BATCH, NOISE)


def through_numpy(images):
    return torch.from_numpy(images.detach().numpy() ** 2)


def test_functions_by_rule_are_counted() -> None:
    said = told(lambda images: images.sin() + images / 2)
    assert said.startswith("Its derivatives agree with each other and, away from kinks, with differences.")
    assert said.endswith("Tangents pass 1 step: 3 functions by rule, none by vmap(jvp).")


def test_functions_without_a_rule_are_named() -> None:
    said = derivatives_told(PURIFIERS["total-variation"], BATCH, NOISE)
    assert said.endswith(" by rule, 50 by vmap(jvp) (norm 50x).")


def test_a_network_that_takes_no_other_type_is_checked_in_its_own() -> None:
    torch.manual_seed(0)
    assert "agree" in told(torch.nn.Conv2d(1, 1, 3, padding=1).eval().requires_grad_(False))


@pytest.mark.parametrize("seed", range(4))
def test_ties_and_clipping_are_no_faults(seed) -> None:
    for name in ("median", "gaussian-blur"):
        assert "agree" in derivatives_told(PURIFIERS[name], BATCH, Noise(seed, BATCH.image_ids))


class BackwardOnly(torch.autograd.Function):
    @staticmethod
    def forward(ctx, images):
        return images * 2

    @staticmethod
    def backward(ctx, cotangents):
        return cotangents * 2


class StraightThrough(BackwardOnly):
    @staticmethod
    def forward(ctx, images):
        return (images * 3).round() / 3


def test_a_step_pushed_by_the_adjoint_of_its_pull_is_named_with_the_reason() -> None:
    said = told(lambda images: BackwardOnly.apply(images.sin()))
    assert "By the adjoint of its pull, with the slope its backward states, step 1: on stacks, " in said
    assert "setup_context" in said


LEAVING = {
    "numpy": through_numpy,
    "detach": lambda images: images + images.detach(),
    "no_grad": torch.no_grad()(torch.sin),
    "straight through": StraightThrough.apply,
}


@pytest.mark.parametrize("leaving", LEAVING.values(), ids=LEAVING)
def test_a_map_that_leaves_the_graph_is_named_with_its_fault(leaving) -> None:
    with pytest.raises(ValueError, match=r"mine.*declares differentiability 'exact', but .*Mend it, or declare 'none'"):
        told(leaving)


def rounded(images):
    return (images * 3).round() / 3


@pytest.mark.parametrize("flat", [rounded, lambda images: (images > 0.5).to(images)], ids=["rounded", "threshold"])
def test_a_map_that_is_constant_in_pieces_is_told_what_to_declare(flat) -> None:
    with pytest.raises(ValueError, match=r"but it is piecewise constant: .*Declare 'piecewise constant', or give it"):
        told(flat)
    assert told(flat, differentiability="piecewise constant").startswith("It declares")


def test_a_constant_map_has_no_slope_and_no_fault() -> None:
    assert "agree" in told(lambda images: torch.full_like(images, 0.5))


@pytest.mark.parametrize("declared", ["none", "piecewise constant"])
def test_derivatives_that_are_not_declared_are_not_checked(declared) -> None:
    assert told(through_numpy, differentiability=declared) == (
        f"It declares differentiability {declared!r}: derivatives are not checked, and measures of finite "
        "displacements still run."
    )
