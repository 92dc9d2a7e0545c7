"""The arithmetic that all diffusion purifiers share: levels, noising, and the denoised guess."""

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import torch
from torch import Tensor

from purigeom.cost import evaluated
from purigeom.networks.diffusion.predictor import NoisePredictor, rounding
from purigeom.noise import Noise
from purigeom.protocols import Declaration, ImageMap
from purigeom.settings import is_whole

Variance: TypeAlias = Literal["small", "large"]
"""The posterior's, or the forward process's."""


class Diffusion(Protocol):
    """What every diffusion purifier has."""

    @property
    def network(self) -> NoisePredictor: ...
    @property
    def depth(self) -> int: ...


def declared(purifier: Diffusion, *, clip: bool) -> Declaration:
    """Return the declaration of a sampler; clipping the last guess bounds its output."""
    network = purifier.network.checkpoint
    return Declaration("diffusion", network, range="clamped" if clip else "unbounded")


def check_depth(purifier: Diffusion, steps: int | None = None) -> None:
    """Raise unless the depth is a time index and the steps fit into it."""
    name = type(purifier).__name__
    if not is_whole(purifier.depth) or purifier.depth < 1:
        msg = f"{name}.depth must be a whole time index of at least 1; got {purifier.depth!r}."
        raise ValueError(msg)
    if steps is not None and (not is_whole(steps) or not 1 <= steps <= purifier.depth):
        msg = f"{name}.steps must be a whole number between 1 and the depth {purifier.depth}; got {steps!r}."
        raise ValueError(msg)


def signal_levels(purifier: Diffusion, image_shape: tuple[int, ...], level_offset: int = 0) -> list[float]:
    """Return the network's signal levels; raise unless images and depth fit the network."""
    purifier.network.check(image_shape)
    levels: list[float] = purifier.network.alpha_bars().tolist()
    if not 0 <= purifier.depth - 1 + level_offset < len(levels):
        msg = (
            f"{type(purifier).__name__}.depth plus level_offset must stay within the {len(levels)} levels of "
            f"{purifier.network}; got {purifier.depth} + {level_offset}."
        )
        raise ValueError(msg)
    return levels


def respaced(depth: int, steps: int | None) -> list[tuple[int, int | None]]:
    """Return pairs of a level and the next lower one, from depth - 1 down to None, the clean image.

    Examples
    --------
    >>> respaced(5, 3)
    [(4, 2), (2, 0), (0, None)]
    """
    count = depth if steps is None else steps
    levels = [depth - 1] if count == 1 else [round(i * (depth - 1) / (count - 1)) for i in range(count)][::-1]
    return list(zip(levels, [*levels[1:], None], strict=True))


@dataclass(frozen=True)
class Noising:
    """The step from images in [0, 1] to states whose signal level is `signal`.

    With another signal level it gives what the forward process, by the same noise, makes of the same images there.
    """

    signal: float
    noise: Noise

    def __call__(self, images: Tensor) -> Tensor:
        return self.signal**0.5 * (2 * images - 1) + (1 - self.signal) ** 0.5 * self.noise.normal_like(images)


@dataclass(frozen=True)
class Denoising:
    """A step of the reverse process, which says that the state it returns has the signal level `signal`.

    The chain of a diffusion purifier begins with a `Noising`, save `ReverseOnly`'s, goes on with some of these and ends
    with `to_images`: who reads its steps knows which state of the forward process each of its states should be.
    """

    step: ImageMap
    signal: float
    rounding: float = 0.0
    """The machine precision of the network inside, where that is coarser than the state's."""

    def __call__(self, state: Tensor) -> Tensor:
        return self.step(state)


def denoising(network: NoisePredictor, step: ImageMap, signal: float) -> Denoising:
    """Return a step of the reverse process with the rounding of its network."""
    return Denoising(step, signal, rounding(network))


def to_images(state: Tensor) -> Tensor:
    """Return states in [-1, 1] as images in [0, 1]."""
    return (state + 1) / 2


def predicted_noise(network: NoisePredictor, state: Tensor, time: float) -> Tensor:
    """Return the network's guess of the noise in a state at a time index, whole or fractional."""
    evaluated(len(state))
    # diffusers cuts a number that is no tensor down to a whole one
    index = time if isinstance(time, int) else torch.tensor(time, dtype=state.dtype, device=state.device)
    predicted: Tensor = network.module(state.device, state.dtype)(state, index).sample
    return predicted


def denoised(state: Tensor, predicted: Tensor, signal: float, *, clip: bool) -> Tensor:
    """Return the guess of the clean state that a guess of the noise implies."""
    guess = (state - (1 - signal) ** 0.5 * predicted) / signal**0.5
    return torch.clamp(guess, -1, 1) if clip else guess


@dataclass(frozen=True)
class Posterior:
    """The Gaussian of the next lower level, given a state and the guess of the clean one (Ho et al. 2020)."""

    guess_weight: float
    state_weight: float
    variance: float

    def mean(self, guess: Tensor, state: Tensor) -> Tensor:
        """Return the mean; its variance is the same for every pixel."""
        return self.guess_weight * guess + self.state_weight * state

    def draw(self, mean: Tensor, noise: Noise) -> Tensor:
        """Return a draw about a mean, which guidance may have moved."""
        return mean + self.variance**0.5 * noise.normal_like(mean)


def posterior(signal: float, lower_signal: float, variance: Variance) -> Posterior:
    """Return the Gaussian between two signal levels, with the posterior's variance or the forward process's."""
    step_variance = 1 - signal / lower_signal
    shrink = (1 - lower_signal) / (1 - signal)
    return Posterior(
        guess_weight=lower_signal**0.5 * step_variance / (1 - signal),
        state_weight=(signal / lower_signal) ** 0.5 * (1 - lower_signal) / (1 - signal),
        variance=step_variance * (shrink if variance == "small" else 1.0),
    )
