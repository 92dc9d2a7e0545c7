"""Every function on duals gives what torch's forward mode gives, by the way that the tables name."""

import pytest
import torch
from torch.nn import functional

from purigeom.geometry.dual.number import RULES, Dual, StackError
from tests.geometry.dual import changes, layers, numbers
from tests.geometry.dual.agreement import (
    STATE,
    TANGENTS,
    assert_pushed_as_by_torch,
    assert_same,
    by_torch,
    fixed,
    on_stacks,
    pushed,
    ways,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore:There is a performance drop"),  # torch maps some functions one by one
    pytest.mark.filterwarnings("ignore:To copy construct from a tensor"),
]

CODES = fixed(6, 6, seed=2)
RULED = {**layers.RULED, **numbers.ELEMENTWISE, **numbers.ARITHMETIC, **numbers.SHAPES}
BY_TORCH = {**layers.BY_TORCH, **numbers.BY_TORCH}
ALL = {**RULED, **BY_TORCH, **changes.IN_PLACE}


def each(table):
    return pytest.mark.parametrize("step", table.values(), ids=table.keys())


@each(ALL)
def test_stacks_give_the_value_and_the_tangents_of_torch(step) -> None:
    answer, _ = on_stacks(step)
    assert_same((answer.stack[0], answer.stack[1:]), by_torch(step))


@each(RULED)
def test_a_function_with_a_rule_is_never_differentiated_by_torch(step) -> None:
    _, taken = on_stacks(step)
    assert ways(taken) == {"rule"}, taken


@each(BY_TORCH)
def test_a_function_without_a_rule_is_differentiated_by_torch_alone(step) -> None:
    _, taken = on_stacks(step)
    assert "vmap(jvp)" in ways(taken), taken


@each(changes.WHOLE)
def test_what_stacks_cannot_follow_is_refused_and_the_whole_step_is_differentiated(step) -> None:
    with pytest.raises(StackError):
        on_stacks(step)
    assert_pushed_as_by_torch(step)


@each(changes.PLAIN)
def test_what_has_no_slope_is_a_plain_tensor(step) -> None:
    answer, _ = on_stacks(step)
    assert not isinstance(answer, Dual)
    assert torch.equal(answer, step(STATE))


def test_the_tables_reach_every_rule() -> None:
    taken = {name for step in ALL.values() for _, name in on_stacks(step)[1]}
    known = {function.__name__ for function in RULES if not function.__name__.startswith("__")}
    # tested elsewhere, impossible here, or old
    assert known - taken == {"cdist", "cuda", "numpy", "grid_sample", "upsample"}


def test_a_push_ends_with_the_same_numbers_whatever_the_way() -> None:
    for step in (RULED["conv2d"], BY_TORCH["log_softmax"], changes.IN_PLACE["module"], changes.WHOLE["data"]):
        assert_pushed_as_by_torch(step)


def test_sampling_on_a_grid_which_torch_cannot_differentiate_forward_is_linear() -> None:
    def sampled(x):
        return functional.grid_sample(x, layers.GRID, align_corners=False)

    answer, taken = on_stacks(sampled)
    assert ways(taken) == {"rule"}
    assert_same((answer.stack,), (torch.stack([sampled(row) for row in (STATE, *TANGENTS)]),))


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
def test_distances_which_torch_cannot_differentiate_forward_are_those_of_their_formula(p) -> None:
    def measured(x):
        return torch.cdist(x, CODES, p) + torch.cdist(CODES, x[:1], p).mT * torch.cdist(x, x.sin(), p)

    def spelled_out(x):
        def apart(one, other):
            return (one.unsqueeze(-2) - other.unsqueeze(-3)).abs().pow(p).sum(-1).pow(1 / p)

        return apart(x, CODES) + apart(CODES, x[:1]).mT * apart(x, x.sin())

    answer, _ = on_stacks(measured)
    assert_same((answer.stack[0], answer.stack[1:]), by_torch(spelled_out))


def test_a_distance_of_nothing_has_a_slope_of_zero_as_in_torch() -> None:
    answer, _ = on_stacks(lambda x: torch.cdist(x, STATE))
    apart = answer.stack[1:].diagonal(dim1=-2, dim2=-1)
    assert torch.equal(apart, torch.zeros_like(apart))


def test_a_layout_that_the_value_has_already_is_a_view_and_another_is_a_copy() -> None:
    def doubled(x, first, second):
        laid = x.clone().to(memory_format=first)
        again = laid.contiguous(memory_format=second)
        again.mul_(2)
        return laid

    last, usual = torch.channels_last, torch.contiguous_format
    for formats, factor in (((last, last), 2), ((last, usual), 1), ((usual, last), 1), ((usual, usual), 2)):
        answer, _ = on_stacks(lambda x, formats=formats: doubled(x, *formats))
        assert_same((answer.stack,), (factor * torch.cat([STATE[None], TANGENTS]),))
        assert torch.equal(doubled(STATE, *formats), answer.stack[0])


def test_one_tangent_is_enough() -> None:
    for step in RULED.values():
        answer, _ = on_stacks(step, STATE, TANGENTS[:1])
        assert_same((answer.stack[1:],), (by_torch(step)[1][:1],))


@pytest.mark.parametrize(
    "random",
    [
        functional.dropout,
        lambda x: x * torch.rand_like(x),
        lambda x: x + torch.randn_like(x[:1]),
        lambda x: x * torch.bernoulli(x.sigmoid()),
        functional.gumbel_softmax,
        lambda x: x.clone().normal_(),
    ],
)
def test_randomness_that_depends_on_the_input_is_refused(random) -> None:
    with pytest.raises(RuntimeError, match=r"draws its own randomness|The step hides randomness"):
        pushed(random, STATE, TANGENTS)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: torch.asin(x / 9, out=fixed(4, 4, 6, 6)),
        lambda x: torch.softmax(x, 1, out=fixed(4, 4, 6, 6)),
        lambda x: x * torch.from_numpy(x.numpy()),
        lambda x: x.requires_grad_(True) * 2,
        lambda x: (setattr(x, "requires_grad", True), x * 2)[1],
    ],
    ids=["out", "out of a rule", "numpy", "requires_grad_", "requires_grad"],
)
def test_what_would_lose_tangents_unseen_is_refused(function) -> None:
    with pytest.raises(StackError):
        on_stacks(function)
