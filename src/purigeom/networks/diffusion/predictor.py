"""What diffusion purifiers ask of a network, whoever trained it."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn


@runtime_checkable
class NoisePredictor(Protocol):
    """The name of a trained network that guesses noise: cheap to send around, loaded where it is used."""

    @property
    def checkpoint(self) -> str:
        """Return the name that all samplers of this network share."""
        ...

    def content(self) -> str:
        """Return the digest of the weights."""
        ...

    def check(self, image_shape: tuple[int, ...]) -> None:
        """Raise unless the network predicts noise for images of this shape."""
        ...

    def alpha_bars(self) -> Tensor:
        """Return the signal level after each time index, in float64."""
        ...

    def module(self, device: torch.device, dtype: torch.dtype) -> nn.Module:
        """Return the network on a device, loaded once per process.

        It is called with states in [-1, 1] and one time index, whole or a tensor for one between whole ones, and its
        answer's `sample` is the noise in them.
        """
        ...


def rounding(network: object) -> float:
    """Return the machine precision of a network that computes in fewer bits than its states have; zero for others."""
    found: float = getattr(network, "rounding", 0.0)
    return found


def continuous(network: object) -> bool:
    """Return whether a network's time index, where it is no whole number, is the VP-SDE's; others were not asked."""
    found: bool = getattr(network, "continuous", False)
    return found


@dataclass(frozen=True)
class Prediction:
    """The noise that a network sees in a state; the field has the name that diffusers gives it."""

    sample: Tensor
