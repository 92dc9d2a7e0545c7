"""Carry many vectors through a chain, step by step: tangents forward on stacks, cotangents backward by replay."""

from collections import Counter
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.func import jvp, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from purigeom.geometry.chain import Chain, ReplayError, check_replay, pulled
from purigeom.geometry.dual.number import Dual, StackError, recorded
from purigeom.geometry.memory import out_of_memory
from purigeom.protocols import ImageMap


class NotFiniteError(ValueError):
    """Raised where vectors become NaN or infinite: in which step, and for which image of the batch."""

    def __init__(self, kind: str, step: int, steps: int, place: int) -> None:
        super().__init__(
            f"{kind} become NaN or infinite in step {step} of {steps}, for image {place} of the batch. Look at that "
            "step's slope there: a root or logarithm of zero, or a norm of nothing, has none."
        )
        self.place = place


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
        Why the step was differentiated as a whole instead; empty where it was not.
    """

    rules: Counter[str] = field(default_factory=Counter)
    by_torch: Counter[str] = field(default_factory=Counter)
    whole: str = ""


def push_through(chain: Chain, states: list[Tensor], tangents: Tensor, tolerance: float) -> Tensor:
    """Push tangents of shape (probe, *images) of the first state to the last, step by step.

    Every step starts from the stored state; what it makes of it must agree with the next stored one.
    """
    for index, step in enumerate(chain.steps):
        value, tangents = pushed(step, states[index], tangents)
        check_replay(index, states[index + 1], value, tolerance)
        _check_finite(chain, index, tangents, "Tangents")
    return tangents


def pull_through(chain: Chain, states: list[Tensor], cotangents: Tensor, tolerance: float) -> Tensor:
    """Pull cotangents of shape (probe, *images) of the last state to the first, and check every step's."""
    for index in reversed(range(len(chain.steps))):
        cotangents = _pulled(chain, states, index, cotangents, tolerance)
        _check_finite(chain, index, cotangents, "Cotangents")
    return cotangents


def pushed(step: ImageMap, state: Tensor, tangents: Tensor) -> tuple[Tensor, Tensor]:
    """Return a step's value and the tangents it makes: on stacks, or as a whole where that cannot be done."""
    try:
        value, along = _stacked(step, state, tangents)
    except Exception as error:
        if out_of_memory(error):
            raise
        value, along = _whole(step, state, tangents, error)
    return value.to(state.dtype), along.to(state.dtype)


def route(chain: Chain, states: list[Tensor]) -> tuple[Route, ...]:
    """Return the way through every step, found by pushing one tangent."""
    return tuple(_route(step, state) for step, state in zip(chain.steps, states, strict=False))


def _stacked(step: ImageMap, state: Tensor, tangents: Tensor) -> tuple[Tensor, Tensor]:
    stack = state.new_empty((1 + len(tangents), *state.shape))
    stack[0], stack[1:] = state, tangents
    answer = step(Dual(stack))
    if not isinstance(answer, Dual):  # nothing of the input is left in it: its slope is zero
        return answer, tangents.new_zeros((len(tangents), *answer.shape))
    return answer.stack[0], answer.stack[1:]


def _whole(step: ImageMap, state: Tensor, tangents: Tensor, reason: Exception) -> tuple[Tensor, Tensor]:
    """Differentiate a step by torch; where that fails too, say why neither way is open."""
    try:
        with sdpa_kernel(SDPBackend.MATH):
            along: Tensor = vmap(lambda tangent: jvp(step, (state,), (tangent,))[1])(tangents)
            return step(state), along
    except Exception as error:
        if out_of_memory(error):
            raise
        msg = (
            f"A step cannot be differentiated forward: on stacks, {_said(reason)}; by torch.func.jvp, {_said(error)}. "
            "Is it torch code without randomness of its own? If not, purigeom.geometry.differences serves black boxes."
        )
        raise RuntimeError(msg) from error


def _pulled(chain: Chain, states: list[Tensor], index: int, cotangents: Tensor, tolerance: float) -> Tensor:
    """Pull through one step by torch.func, or where its wrappers stand in the way, by the autograd everyone knows."""
    try:
        return pulled(chain, states, index, cotangents, tolerance)
    except Exception as error:
        if out_of_memory(error) or isinstance(error, ReplayError):
            raise
        return _by_autograd(chain.steps[index], states[index], cotangents, error)


def _by_autograd(step: ImageMap, state: Tensor, cotangents: Tensor, reason: Exception) -> Tensor:
    leaf = state.detach().requires_grad_()
    try:
        with torch.enable_grad():
            answer = step(leaf)
            if not answer.requires_grad:  # nothing of the input is left in it
                return state.new_zeros((len(cotangents), *state.shape))
            given = cotangents.to(answer.dtype)
            (found,) = torch.autograd.grad(answer, leaf, given, is_grads_batched=True, materialize_grads=True)
            return found
    except Exception as error:
        if out_of_memory(error):
            raise
        msg = (
            f"A step cannot be differentiated backward: by torch.func.vjp, {_said(reason)}; by autograd, "
            f"{_said(error)}. Is it torch code? If not, purigeom.geometry.differences serves black boxes."
        )
        raise RuntimeError(msg) from error


def _route(step: ImageMap, state: Tensor) -> Route:
    tangents = torch.ones_like(state)[None]
    with recorded() as taken:
        try:
            _stacked(step, state, tangents)
        except Exception as error:
            _whole(step, state, tangents, error)
            return Route(whole=_said(error))
    ways = {way: Counter({name: count for (one, name), count in taken.items() if one == way}) for way, _ in taken}
    return Route(ways.get("rule", Counter()), ways.get("vmap(jvp)", Counter()))


def _said(error: Exception) -> str:
    text = str(error).strip().split("\n")[0]
    return text if isinstance(error, StackError) else f"{type(error).__name__}: {text}"


def _check_finite(chain: Chain, index: int, vectors: Tensor, kind: str) -> None:
    if not vectors.isfinite().all():
        broken = (~vectors.isfinite()).transpose(0, 1).flatten(1).any(1)
        raise NotFiniteError(kind, index + 1, len(chain.steps), int(broken.nonzero()[0]))
