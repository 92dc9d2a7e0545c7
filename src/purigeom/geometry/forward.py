"""How tangents pass one step: by rules on stacks, whole by torch, or by the adjoint of what autograd pulls."""

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

import torch
from torch import Tensor
from torch.func import jvp, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from purigeom.geometry.backward import by_each, graph_of, said
from purigeom.geometry.chain import Chain, ReplayError, check_replay, gap
from purigeom.geometry.dual.number import Dual, StackError, Way, recorded
from purigeom.geometry.memory import out_of_memory
from purigeom.geometry.precision import ROUNDINGS, narrowest
from purigeom.protocols import ImageMap

_ADVICE = (
    "An autograd.Function needs setup_context and generate_vmap_rule = True, or a jvp of its own; a checkpoint "
    "use_reentrant=False. What is no torch code, or draws its own randomness, is a black box: "
    "purigeom.geometry.differences serves those."
)


@dataclass(frozen=True)
class Route:
    """How tangents pass a step.

    Parameters
    ----------
    rules
        How often each function followed a closed rule on the whole stack.
    by_torch
        How often each function was differentiated by itself, by `vmap(jvp)`.
    whole
        Why the step was differentiated as a whole instead, by `vmap(jvp)`; empty where it was not.
    by_pull
        Why it was pushed by the adjoint of its pull instead, with whatever slope its backward states, that of a
        straight-through estimator included; empty where it was not.
    drift
        How far the state on a stack is from the stored one, relative to its largest entry, where that is what the
        step's own narrow precision makes of a wider batch; else zero.
    """

    rules: Counter[str] = field(default_factory=Counter)
    by_torch: Counter[str] = field(default_factory=Counter)
    whole: str = ""
    by_pull: str = ""
    drift: float = 0.0


Pushed: TypeAlias = tuple[Tensor, Route]


def pushed(chain: Chain, states: list[Tensor], index: int, tangents: Tensor, tolerance: float) -> Pushed:
    """Push tangents of shape (probe, *images) through one step, by the first way that is open, and say which.

    Every way starts from the stored state; what it makes of it must agree with the next stored one.
    """
    refused: list[Exception] = []
    for way in (_on_stacks, _as_a_whole, _by_pull):
        try:
            along, found = way(chain, states, index, tangents, tolerance)
        except Exception as error:
            if out_of_memory(error) or isinstance(error, ReplayError):
                raise
            refused.append(error)
        else:
            return along.to(states[index].dtype), _with_reasons(found, refused)
    on_stacks, by_jvp, by_pull = (said(error) for error in refused)
    msg = (
        f"Step {index + 1} of {len(chain.steps)} cannot be differentiated forward: on stacks, {on_stacks}; by "
        f"torch.func.jvp, {by_jvp}; by the adjoint of its pull, {by_pull}. {_ADVICE}"
    )
    raise RuntimeError(msg) from refused[-1]


def stacked(step: ImageMap, state: Tensor, tangents: Tensor) -> tuple[Tensor, Tensor]:
    """Return a step's value and its tangents, computed as one stack."""
    stack = state.new_empty((1 + len(tangents), *state.shape))
    stack[0], stack[1:] = state, tangents
    answer = step(Dual(stack))
    if not isinstance(answer, Dual):  # nothing of the input is left in it: its slope is zero
        return answer, tangents.new_zeros((len(tangents), *answer.shape))
    return answer.stack[0], answer.stack[1:]


def _on_stacks(chain: Chain, states: list[Tensor], index: int, tangents: Tensor, tolerance: float) -> Pushed:
    """Push on a stack; where its value is off, ask whether the step is random, or only less exact in a wider batch."""
    step, state, following = chain.steps[index], states[index], states[index + 1]
    with recorded() as taken:
        value, along = stacked(step, state, tangents)
    drift = gap(following, value)
    if drift <= tolerance:
        return along, _counted(taken)
    plain, rounding = narrowest(partial(step, state.detach()))
    check_replay(index, following, plain, tolerance)
    if not drift <= ROUNDINGS * rounding:
        msg = f"on a stack the step gives another state, off by {drift:.2g} of the largest entry"
        raise StackError(msg)
    return along, _counted(taken, drift)


def _as_a_whole(chain: Chain, states: list[Tensor], index: int, tangents: Tensor, tolerance: float) -> Pushed:
    step, state = chain.steps[index], states[index]
    with sdpa_kernel(SDPBackend.MATH):
        along: Tensor = vmap(lambda tangent: jvp(step, (state,), (tangent,))[1])(tangents)
        check_replay(index, states[index + 1], step(state.detach()), tolerance)
    return along, Route()


def _by_pull(chain: Chain, states: list[Tensor], index: int, tangents: Tensor, tolerance: float) -> Pushed:
    """Push by the adjoint of the pull: J'u is linear in u, so that its own pullback, at any u, is J (Townsend 2017)."""
    leaf, answer = graph_of(chain.steps[index], states[index])
    check_replay(index, states[index + 1], answer.detach(), tolerance)
    with torch.enable_grad():
        cotangent = torch.zeros_like(answer).requires_grad_()
        (pulled,) = torch.autograd.grad(answer, leaf, cotangent, create_graph=True)
    return by_each(pulled, cotangent, tangents.to(pulled.dtype)), Route()


def _with_reasons(found: Route, refused: list[Exception]) -> Route:
    """Return the way that was open, with the reasons why those before it were not."""
    if not refused:
        return found
    if len(refused) == 1:
        return Route(whole=said(refused[0]))
    return Route(by_pull=f"on stacks, {said(refused[0])}; by torch.func.jvp, {said(refused[1])}")


def _counted(taken: Counter[tuple[Way, str]], drift: float = 0.0) -> Route:
    ways = {way: Counter({name: count for (one, name), count in taken.items() if one == way}) for way, _ in taken}
    return Route(ways.get("rule", Counter()), ways.get("vmap(jvp)", Counter()), drift=drift)
