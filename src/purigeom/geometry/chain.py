"""A pinned purifier as a chain of steps, with exact gradients whose graph never outgrows one step."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.func import vjp, vmap

from purigeom.protocols import ImageMap

REPLAY_TOLERANCE = 1e-4
"""Largest accepted gap between a stored state and its recomputation, relative to the state's largest entry.

On the machine and batch that stored it the gap is zero; kernels that sum in varying order stay below 1e-4.
"""

REPLAY_ROUNDINGS = 2
"""The same of a step whose network computes in half precision, in machine precisions of its layers."""


class ReplayError(RuntimeError):
    """Raised where a step gives another state than it gave before."""


@dataclass(frozen=True)
class Chain:
    """Deterministic steps applied one after another; noise is drawn by the step that needs it, when it runs.

    Calling a chain under autograd stores the states only. The backward pass recomputes one step at a time
    from its stored state, checks that the recomputed state equals the stored one, and differentiates that
    step alone: any library that calls `.backward()` gets the exact gradient at the memory of one step.
    """

    steps: tuple[ImageMap, ...]

    def __call__(self, images: Tensor) -> Tensor:
        if torch.is_grad_enabled() and images.requires_grad:
            replayed: Callable[..., tuple[Tensor, ...]] = _Replay.apply
            return replayed(self.steps, images)[0]
        state = images
        for step in self.steps:
            state = step(state)
        return state

    def states(self, images: Tensor) -> list[Tensor]:
        """Return the images and the state after every step."""
        states = [images]
        for step in self.steps:
            states.append(step(states[-1]))
        return states


def as_chain(image_map: ImageMap) -> Chain:
    """Return a chain as it is, and any other map as a chain of one step."""
    return image_map if isinstance(image_map, Chain) else Chain((image_map,))


class _Replay(torch.autograd.Function):
    """Run a chain without a graph; differentiate it by replaying one step at a time."""

    generate_vmap_rule = True

    @staticmethod
    def forward(steps: tuple[ImageMap, ...], images: Tensor) -> tuple[Tensor, ...]:
        """Return the last state, then every earlier one: torch.func saves nothing that is not an output."""
        states = Chain(steps).states(images)
        return (states[-1].clone(), *states[1:])

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.steps, images = inputs
        ctx.mark_non_differentiable(*output[1:])
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(images, *output[1:])

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor | None) -> tuple[None, Tensor | None]:
        if cotangents[0] is None:
            return None, None
        chain, states = Chain(ctx.steps), list(ctx.saved_tensors)
        if torch.is_grad_enabled() and states[0].requires_grad:  # a second derivative needs the whole graph
            states = chain.states(states[0])
        along = cotangents[0][None]
        for index in reversed(range(len(chain.steps))):
            along = pulled(chain, states, index, along, REPLAY_TOLERANCE)
        return None, along[0]


def pulled(chain: Chain, states: list[Tensor], index: int, cotangents: Tensor, tolerance: float) -> Tensor:
    """Pull cotangents of one step's state back to the state before it, by a graph of that step alone."""
    step = chain.steps[index]
    recomputed, pullback, *_ = vjp(step, states[index])
    allowed = max(tolerance, REPLAY_ROUNDINGS * getattr(step, "rounding", 0.0))
    check_replay(index, states[index + 1], recomputed, allowed)
    along = cotangents.to(recomputed.dtype)
    if len(along) == 1:  # not every backward formula is known to vmap, such as that of a normalisation, channels last
        return pullback(along[0])[0][None]
    before: Tensor = vmap(pullback)(along)[0]
    return before


def check_replay(index: int, stored: Tensor, recomputed: Tensor, tolerance: float = REPLAY_TOLERANCE) -> None:
    """Raise where a step gives another state than it gave before, beyond a tolerance relative to the largest entry."""
    found = gap(stored, recomputed)
    if not found <= tolerance:
        msg = (
            f"Chain step {index + 1} gave another state when it was recomputed for the gradient: they differ by "
            f"{found:.2g} of the largest entry, allowed is {tolerance:.2g}. The step hides randomness or changes its "
            "input in place; draw its noise from the Noise it was pinned with."
        )
        raise ReplayError(msg)


def gap(stored: Tensor, recomputed: Tensor) -> float:
    """Return how far two states are apart, relative to the largest finite entry of the first.

    What is NaN or infinite both times is the same: it is one image's fault, and no reason to lose the others.
    """
    found = recomputed.to(stored.dtype)
    if torch.equal(stored, found):
        return 0.0
    same = (stored == found) | (stored.isnan() & found.isnan())
    apart = (stored - found).masked_fill(same, 0).abs().max()
    return 0.0 if apart == 0 else float(apart / stored.nan_to_num(0, 0, 0).abs().max())
