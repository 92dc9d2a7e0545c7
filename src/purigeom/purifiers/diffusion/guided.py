"""What guided samplers share: states that carry the images along, the slope of a guide, the reverse step's Gaussian."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import torch
from torch import Tensor
from torch.func import grad

from purigeom.networks.diffusion.predictor import NoisePredictor, rounding
from purigeom.noise import Noise
from purigeom.protocols import Declaration, Differentiability, ImageMap
from purigeom.purifiers.diffusion.process import to_images

Objective: TypeAlias = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Takes a state; returns one number per image, and what else was found on the way."""


class Networked(Protocol):
    """What every purifier with a noise predictor has."""

    @property
    def network(self) -> NoisePredictor: ...


@dataclass(frozen=True)
class Guided:
    """A step whose state holds more than the image: what guides it, or what an optimiser remembers."""

    step: ImageMap
    rounding: float = 0.0
    """The machine precision of the network inside, where that is coarser than the state's."""

    def __call__(self, state: Tensor) -> Tensor:
        return self.step(state)


def guided(network: NoisePredictor, step: ImageMap) -> Guided:
    """Return a step of a wide state with the rounding of its network."""
    return Guided(step, rounding(network))


def slope(objective: Objective, state: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradient of every image's objective, and what else the objective found.

    It can itself be differentiated, forward and backward: a step that calls it is unrolled exactly.
    """

    def total(state: Tensor) -> tuple[Tensor, Tensor]:
        values, found = objective(state)
        return values.sum(), found

    return grad(total, has_aux=True)(state)


def noised(state: Tensor, signal: float, noise: Noise) -> Tensor:
    """Return what the forward process makes of a clean state at a signal level."""
    return signal**0.5 * state + (1 - signal) ** 0.5 * noise.normal_like(state)


def with_reference(images: Tensor) -> Tensor:
    """Return the first state of a guided sampler: the images in [-1, 1], and again as what guides it."""
    state = 2 * images - 1
    return torch.cat([state, state], 1)


def noised_with_reference(signal: float, noise: Noise) -> ImageMap:
    """Return the step from images to a state at a signal level, with the images beside it as what guides it."""

    def begin(images: Tensor) -> Tensor:
        clean = 2 * images - 1
        return torch.cat([noised(clean, signal, noise), clean], 1)

    return begin


def without_reference(state: Tensor) -> Tensor:
    """Return the images of a guided state."""
    return to_images(state.chunk(2, 1)[0])


def without_reference_clamped(state: Tensor) -> Tensor:
    """Return the images of a guided state, brought back to [0, 1]: guidance moves them after the last guess."""
    return without_reference(state).clamp(0, 1)


def declared_guided(
    purifier: Networked, differentiability: Differentiability, *, clip: bool, family: str = "guided diffusion"
) -> Declaration:
    """Return the declaration of a sampler that is guided by, or fitted to, the image."""
    return Declaration(family, purifier.network.checkpoint, differentiability, "clamped" if clip else "unbounded")
