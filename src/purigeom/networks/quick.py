"""A noise predictor that computes in fewer bits, and in the layout and the code that its device likes best."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar, Literal, TypeAlias, get_args

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad

from purigeom.networks.around import AroundPredictor
from purigeom.networks.diffusion.network import Network
from purigeom.networks.diffusion.predictor import NoisePredictor, Prediction
from purigeom.networks.files import frozen, outside_transforms
from purigeom.networks.steady import Steady

Precision: TypeAlias = Literal["full", "bfloat16", "float16"]


@dataclass(frozen=True)
class Quick(AroundPredictor):
    """Another network's guess of the noise, computed otherwise; states and answers keep their type.

    What that changes is measured, not assumed: `python -m benchmarks.cifar` prints how far bfloat16 moves compression
    ratios, distances, leading singular values, shares below one, margins and survival. A purifier with it is one of its
    own and stored as one.

    Parameters
    ----------
    network
        Whose guess; not itself a `Quick`, nor `Steady`, which goes around it.
    precision
        The type of its weights and layers; "full" is that of the states.
    compiled
        Whether plain forward passes run as compiled by torch, with CUDA graphs on a GPU. Derivatives never do, and
        networks that ask for the time index as a number cannot.

    Examples
    --------
    >>> from purigeom.networks.unet import UNet
    >>> Quick(UNet("digits-ddpm")).precision
    'bfloat16'
    """

    version: ClassVar[int] = 1
    network: NoisePredictor
    precision: Precision = "bfloat16"
    compiled: bool = False

    def __post_init__(self) -> None:
        if self.precision not in get_args(Precision):
            msg = f"Quick.precision must be one of {get_args(Precision)}; got {self.precision!r}."
            raise ValueError(msg)
        if isinstance(self.network, Quick | Steady):
            msg = (
                f"Quick.network must be a network, not steady and not quick itself; got {self.network!r}. Take its "
                "network."
            )
            raise TypeError(msg)

    @property
    def rounding(self) -> float:
        """Return the machine precision of its layers; zero where they have that of the states."""
        return 0.0 if self.precision == "full" else torch.finfo(getattr(torch, self.precision)).eps

    def module(self, device: torch.device, dtype: torch.dtype) -> nn.Module:
        """Return the network on a device, loaded once per process."""
        return _module(self, self.content(), device, dtype)


def with_quick_networks(thing: Any, precision: Precision) -> Any:
    """Return a description in which every diffusion network computes in another precision, and all else is as it was.

    Networks that are quick already stay as they are.
    """

    def quick(part: Any) -> Any:
        if isinstance(part, Steady):
            return replace(part, network=quick(part.network))
        if isinstance(part, Quick):
            return part
        return Quick(part, precision) if isinstance(part, NoisePredictor) else None

    return with_networks(thing, quick)


def with_networks(thing: Any, wrap: Callable[[Any], Any]) -> Any:
    """Return a description in which every part that `wrap` has another for is that other; for the rest it has None."""
    if isinstance(thing, tuple):
        return tuple(with_networks(part, wrap) for part in thing)
    wrapped = wrap(thing)
    if wrapped is not None:
        return wrapped
    if not is_dataclass(thing) or isinstance(thing, type):
        return thing
    described: Any = thing
    parts = {field.name: getattr(thing, field.name) for field in fields(described) if field.init}
    changed = {name: with_networks(part, wrap) for name, part in parts.items()}
    return thing if changed == parts else replace(described, **changed)


class _Otherwise(nn.Module):
    """Convert states for a network, and its answer back.

    `plain` is the network that is shared with all others: torch's own tangents go through no other layout than its.
    """

    def __init__(self, plain: nn.Module, dtype: torch.dtype, *, compiled: bool) -> None:
        super().__init__()
        place: Any = nn.Module.to  # torch's types know no memory format here; states follow the weights' own
        quicken: Any = torch.compile
        network = place(copy.deepcopy(plain), memory_format=torch.channels_last)
        self.plain, self.network, self.dtype = plain, network, dtype
        self.compiled = quicken(network, mode="reduce-overhead", dynamic=False) if compiled else None

    def forward(self, state: Tensor, time: float | Tensor) -> Prediction:
        """Return the noise in states that share one time index."""
        return Prediction(self._answer(state.to(self.dtype), time).to(state.dtype))

    def _answer(self, state: Tensor, time: float | Tensor) -> Tensor:
        answer: Any
        if forward_ad._current_level >= 0:
            answer = self.plain(state, time)
        elif self.compiled is None or not _forward_only(state):
            answer = self.network(state, time)
        else:  # a number would be compiled in, for every index anew
            answer = self.compiled(state, torch.as_tensor(time, device=state.device))
            return answer.sample.clone()  # CUDA graphs overwrite in the next call what they returned in this one
        return answer.sample


def _forward_only(state: Tensor) -> bool:
    """Return whether nothing is differentiated: compiled code knows neither duals nor transforms."""
    transformed = torch._C._functorch.maybe_current_level() is not None
    return type(state) is Tensor and not torch.is_grad_enabled() and not transformed


@lru_cache
def _module(who: Quick, content: str, device: torch.device, dtype: torch.dtype) -> nn.Module:
    del content  # part of the cache's key: new weights under an old name are loaded anew
    narrow = dtype if who.precision == "full" else getattr(torch, who.precision)

    def load() -> nn.Module:
        plain = who.network.module(device, narrow)
        if who.compiled and any(isinstance(part, Network) for part in plain.modules()):
            msg = (
                "Quick.compiled needs a network that takes the time index as a tensor; a number would be compiled in, "
                f"for every index anew. {who.network!r} asks for a number: leave compiled out."
            )
            raise ValueError(msg)
        return frozen(_Otherwise(plain, narrow, compiled=who.compiled))

    return outside_transforms(load)
