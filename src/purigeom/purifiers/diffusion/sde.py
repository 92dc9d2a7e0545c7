"""Continuous time (Song et al. 2021): the reverse VP-SDE, DiffPure's continuous form, and its probability flow."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from torch import Tensor

from purigeom.geometry.chain import Chain
from purigeom.networks.diffusion.predictor import NoisePredictor
from purigeom.noise import Noise
from purigeom.protocols import Declaration, ImageMap
from purigeom.purifiers.diffusion.process import (
    Noising,
    check_depth,
    declared,
    denoising,
    predicted_noise,
    signal_levels,
    to_images,
)

LAST_TIME = 1e-5
"""Where integration stops short of the clean image, of a unit interval, as in DiffPure."""


@dataclass(frozen=True)
class VPSDE:
    """Noise the image to `depth`, then integrate the reverse SDE by Euler and Maruyama.

    The guess is never clipped: the SDE knows no clipping.

    Parameters
    ----------
    network
        The noise predictor, of a linear schedule; it is asked at fractional time indices.
    depth
        Time index to which the image is noised.
    steps
        Number of equal time steps; as many as the depth unless given.
    """

    version: ClassVar[int] = 1
    network: NoisePredictor
    depth: int
    steps: int | None = None

    def __post_init__(self) -> None:
        check_depth(self, self.steps)

    @property
    def declaration(self) -> Declaration:
        return declared(self, clip=False)

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> Chain:
        return _integrated(self, noise, image_shape, _reverse_sde)


@dataclass(frozen=True)
class ProbabilityFlow:
    """Noise the image to `depth`, then integrate the ODE with the SDE's marginals by Euler.

    Parameters
    ----------
    network, depth, steps
        As for `VPSDE`.
    """

    version: ClassVar[int] = 1
    network: NoisePredictor
    depth: int
    steps: int | None = None

    def __post_init__(self) -> None:
        check_depth(self, self.steps)

    @property
    def declaration(self) -> Declaration:
        return declared(self, clip=False)

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> Chain:
        return _integrated(self, noise, image_shape, _probability_flow)


@dataclass(frozen=True)
class _Moment:
    """One Euler step: how long it is, and the process and the network's time index where it starts."""

    network: NoisePredictor
    length: float
    rate: float
    signal: float
    index: float

    def score(self, state: Tensor) -> Tensor:
        return -predicted_noise(self.network, state, self.index) / (1 - self.signal) ** 0.5


def _reverse_sde(moment: _Moment, noise: Noise) -> ImageMap:
    def step(state: Tensor) -> Tensor:
        drift = moment.rate * (state / 2 + moment.score(state))
        return state + moment.length * drift + (moment.rate * moment.length) ** 0.5 * noise.normal_like(state)

    return step


def _probability_flow(moment: _Moment, noise: Noise) -> ImageMap:
    del noise

    def step(state: Tensor) -> Tensor:
        return state + moment.length * moment.rate * (state + moment.score(state)) / 2

    return step


def _integrated(
    purifier: VPSDE | ProbabilityFlow,
    noise: Noise,
    image_shape: tuple[int, ...],
    euler: Callable[[_Moment, Noise], ImageMap],
) -> Chain:
    """Noise as the discrete samplers do, then take equal steps in unit time down to `LAST_TIME`."""
    signals = signal_levels(purifier, image_shape)
    count = purifier.steps or purifier.depth
    length = (purifier.depth / len(signals) - LAST_TIME) / count
    reverse = noise.child("reverse")
    moments = [
        _moment(purifier.network, signals, LAST_TIME + (count - index) * length, length) for index in range(count + 1)
    ]
    steps = [
        denoising(purifier.network, euler(moment, reverse.child(index)), lower.signal)
        for index, (moment, lower) in enumerate(pairwise(moments))
    ]
    return Chain((Noising(signals[purifier.depth - 1], noise.child("forward")), *steps, to_images))


def _moment(network: NoisePredictor, signals: list[float], time: float, length: float) -> _Moment:
    """Return the VP-SDE whose rate grows linearly between the schedule's first and last."""
    count = len(signals)
    low, high = count * (1 - signals[0]), count * (1 - signals[-1] / signals[-2])
    middle = count * (1 - signals[count // 2] / signals[count // 2 - 1])
    if abs(middle - (low + (high - low) * (count // 2) / (count - 1))) > 1e-3 * high:
        msg = f"The VP-SDE needs a network of a linear noise schedule; {network} has another. Use DDPM or DDIM."
        raise ValueError(msg)
    rate = low + time * (high - low)
    signal = math.exp(-time * low - time**2 * (high - low) / 2)
    return _Moment(network, length, rate, signal, time * (count - 1))
