"""What a product with a purifier's Jacobian costs, beside the bare network and beside its peers."""

from collections.abc import Callable, Mapping
from functools import partial

from torch import Tensor

from benchmarks import peers
from benchmarks.cases import SETTINGS, prepared
from benchmarks.clock import compute_seconds
from benchmarks.figure import Figure, at_least, at_most, median_ratio
from purigeom.geometry.jacobian import Jacobian

PUSH_GOALS: Mapping[int, float] = {8: 1.15, 32: 1.08}
PULL_GOALS: Mapping[int, float] = {8: 1.3, 32: 1.2}


def push_cost(count: int, network: str = "big") -> Figure:
    """Push vectors; one call of the network for the point itself is shared among them."""
    return _cost("push", Jacobian.push, count, PUSH_GOALS, network)


def pull_cost(count: int, network: str = "big") -> Figure:
    """Pull vectors; one graph of a step serves them all."""
    return _cost("pull", Jacobian.pull, count, PULL_GOALS, network)


def push_vs_torch_func(count: int, network: str = "big") -> Figure:
    """Push as torch.func does it at its best, from the same stored states."""
    how = "vmap(jvp) of torch.func, step by step from the same stored states"
    return _against("push_vs_torch_func", peers.torch_func, how, count, network)


def push_vs_whole_chain_vmap(count: int, network: str = "big") -> Figure:
    """Push as a Jacobian operator does that takes the chain for one function."""
    how = "vmap(jvp) of torch.func over the whole chain, as curvlinops multiplies with a Jacobian"
    return _against("push_vs_whole_chain_vmap", peers.whole_chain, how, count, network)


def push_vs_autograd_functional(count: int, network: str = "big") -> Figure:
    """Push as torch.autograd.functional does."""
    how = "torch.autograd.functional.jvp, twice backward through the whole chain for one vector after another"
    return _against("push_vs_autograd_functional", peers.autograd_functional, how, count, network)


def _cost(
    kind: str, product: Callable[[Jacobian, Tensor], Tensor], count: int, goals: Mapping[int, float], network: str
) -> Figure:
    """Time a product beside bare calls of the network: a quarter as many as it has vectors, at every state."""
    setting, rounds = SETTINGS[network], max(1, count // 4)
    with prepared(setting, count) as case:
        pair = partial(product, case.jacobian, case.vectors), partial(case.bare, rounds)
        ratio = median_ratio(*pair, setting.repeats, compute_seconds)
        how = (
            f"time of a {kind} of {count} vectors, per vector and step, over time of a no_grad call of the bare "
            f"network with the same states; {case.how}; median of {setting.repeats} pairs in turns"
        )
    return at_most(f"{kind}_cost.{count}", ratio * rounds / count, goals[count] if setting.has_goals else None, how)


def _against(name: str, peer: Callable[[Jacobian, Tensor], Tensor], whose: str, count: int, network: str) -> Figure:
    """Time a peer's push beside ours."""
    setting = SETTINGS[network]
    repeats = max(1, setting.repeats // 2)
    with prepared(setting, count) as case:
        pair = partial(peer, case.jacobian, case.vectors), partial(case.jacobian.push, case.vectors)
        ratio = median_ratio(*pair, repeats, compute_seconds)
        how = (
            f"time of {whose}, over time of our push of the same {count} vectors, larger is better; {case.how}; "
            f"median of {repeats} pairs in turns"
        )
    return at_least(f"{name}.{count}", ratio, None, how)
