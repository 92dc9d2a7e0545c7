"""A noise predictor that computes in fewer bits, and in the layout and the code that its device likes best."""

import copy
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Literal, TypeAlias, get_args

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad
from torch.func import functional_call

from purigeom.networks.diffusion.predictor import NoisePredictor, Prediction
from purigeom.networks.files import outside_transforms

Precision: TypeAlias = Literal["full", "bfloat16", "float16"]


@dataclass(frozen=True)
class Quick:
    """Another network's guess of the noise, computed otherwise; states and answers keep their type.

    What that changes is measured, not assumed: `python -m benchmarks.cifar` prints how far every reported quantity
    moves. It is a purifier of its own and stored as one.

    Parameters
    ----------
    network
        Whose guess.
    precision
        The type of its weights and layers; "full" is that of the states.
    compiled
        Whether plain forward passes run as compiled by torch, with CUDA graphs on a GPU. Derivatives never do.

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

    @property
    def checkpoint(self) -> str:
        """Return the name that all samplers of the network share, however it computes."""
        return self.network.checkpoint

    @property
    def rounding(self) -> float:
        """Return the machine precision of its layers; zero where they have that of the states."""
        return 0.0 if self.precision == "full" else torch.finfo(getattr(torch, self.precision)).eps

    def content(self) -> str:
        """Return the digest of the network's weights."""
        return self.network.content()

    def check(self, image_shape: tuple[int, ...]) -> None:
        """Raise unless the network predicts noise for images of this shape."""
        self.network.check(image_shape)

    def alpha_bars(self) -> Tensor:
        """Return the signal level after each time index, in float64."""
        return self.network.alpha_bars()

    def module(self, device: torch.device, dtype: torch.dtype) -> nn.Module:
        """Return the network on a device, loaded once per process."""
        return _module(self, self.content(), device, dtype)


class _Otherwise(nn.Module):
    """Convert states for a network, and its answer back."""

    def __init__(self, network: nn.Module, dtype: torch.dtype, *, compiled: bool) -> None:
        super().__init__()
        quicken: Any = torch.compile
        self.network, self.dtype = network, dtype
        self.compiled = quicken(network, mode="reduce-overhead", dynamic=False) if compiled else None

    def forward(self, state: Tensor, time: float | Tensor) -> Prediction:
        """Return the noise in states that share one time index."""
        return Prediction(self._answer(state.to(self.dtype), time).to(state.dtype))

    def _answer(self, state: Tensor, time: float | Tensor) -> Tensor:
        answer: Any
        if forward_ad._current_level >= 0:
            answer = functional_call(self.network, self._contiguous(), (state, time))
        elif self.compiled is None or not _forward_only(state):
            answer = self.network(state, time)
        else:  # a number would be compiled in, for every index anew
            answer = self.compiled(state, torch.as_tensor(time, device=state.device))
            return answer.sample.clone()  # CUDA graphs overwrite in the next call what they returned in this one
        return answer.sample

    def _contiguous(self) -> dict[str, Tensor]:
        """Return the weights in the only layout that torch's own tangents go through."""
        weights = self.network.named_parameters()
        return {name: weight.clone(memory_format=torch.contiguous_format) for name, weight in weights}


def _forward_only(state: Tensor) -> bool:
    """Return whether nothing is differentiated: compiled code knows neither duals nor transforms."""
    transformed = torch._C._functorch.maybe_current_level() is not None
    return type(state) is Tensor and not torch.is_grad_enabled() and not transformed


@lru_cache
def _module(who: Quick, content: str, device: torch.device, dtype: torch.dtype) -> nn.Module:
    del content  # part of the cache's key: new weights under an old name are loaded anew
    narrow = dtype if who.precision == "full" else getattr(torch, who.precision)

    def load() -> nn.Module:
        place: Any = nn.Module.to  # torch's types know no memory format here; states follow the weights' own
        module = place(copy.deepcopy(who.network.module(device, narrow)), memory_format=torch.channels_last)
        return _Otherwise(module, narrow, compiled=who.compiled).eval()

    return outside_transforms(load)
