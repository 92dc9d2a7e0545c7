"""How cotangents pass one step: by torch.func, or where its wrappers stand in the way, by plain autograd."""

import torch
from torch import Tensor

from purigeom.geometry.chain import Chain, ReplayError, check_replay, pulled
from purigeom.geometry.dual.number import StackError
from purigeom.geometry.memory import out_of_memory
from purigeom.protocols import ImageMap

_ADVICE = (
    "A checkpoint needs use_reentrant=False. Is the rest torch code? If not, purigeom.geometry.differences serves "
    "black boxes."
)


def pulled_anyhow(chain: Chain, states: list[Tensor], index: int, cotangents: Tensor, tolerance: float) -> Tensor:
    """Pull cotangents of shape (probe, *images) through one step, by the first way that is open."""
    refused: list[Exception] = []
    for way in (pulled, _by_autograd):
        try:
            return way(chain, states, index, cotangents, tolerance)
        except Exception as error:
            if out_of_memory(error) or isinstance(error, ReplayError):
                raise
            refused.append(error)
    by_functions, by_autograd = (said(error) for error in refused)
    msg = (
        f"Step {index + 1} of {len(chain.steps)} cannot be differentiated backward: by torch.func.vjp, {by_functions}; "
        f"by autograd, {by_autograd}. {_ADVICE}"
    )
    raise RuntimeError(msg) from refused[-1]


def graph_of(step: ImageMap, state: Tensor) -> tuple[Tensor, Tensor]:
    """Return a leaf that holds the state, and what the step makes of it, with a graph between them."""
    leaf = state.detach().clone().requires_grad_()  # a clone, since what inference mode made takes no graph
    with torch.enable_grad():
        answer = step(leaf)
    if not answer.requires_grad:
        msg = "the step's answer has no graph"
        raise RuntimeError(msg)
    return leaf, answer


def by_each(answer: Tensor, leaf: Tensor, vectors: Tensor) -> Tensor:
    """Pull every vector through a graph: all at once, or one by one where a function in it takes no batch."""
    try:
        return torch.autograd.grad(answer, leaf, vectors, retain_graph=True, is_grads_batched=True)[0]
    except Exception as error:
        if out_of_memory(error):
            raise
        return torch.stack([torch.autograd.grad(answer, leaf, vector, retain_graph=True)[0] for vector in vectors])


def said(error: Exception) -> str:
    """Return the first line of an error, with its kind where that says something."""
    text = str(error).strip().split("\n")[0].rstrip(".")
    return text if isinstance(error, StackError) else f"{type(error).__name__}: {text}"


def _by_autograd(chain: Chain, states: list[Tensor], index: int, cotangents: Tensor, tolerance: float) -> Tensor:
    leaf, answer = graph_of(chain.steps[index], states[index])
    check_replay(index, states[index + 1], answer.detach(), tolerance)
    return by_each(answer, leaf, cotangents.to(answer.dtype))
