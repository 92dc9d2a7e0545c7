"""Langevin dynamics on an energy (Hill et al. 2021): many small steps down its slope, each with fresh noise."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.func import grad

from purigeom.cost import evaluated
from purigeom.geometry.chain import Chain
from purigeom.networks.trained import Trained
from purigeom.noise import Noise
from purigeom.protocols import Declaration, ImageMap
from purigeom.purifiers.diffusion.process import to_images
from purigeom.settings import check_counts, check_flags, check_sizes


@dataclass(frozen=True)
class LangevinEBM:
    """Repeat X <- X - step grad U(X) + deviation N(0, 1), for pixels in [-1, 1].

    Gradients are those of the unrolled iteration, second derivatives of the energy included. The published energy is
    linear in pieces and has none: with it the Jacobian is the identity almost everywhere, whatever the map does to
    finite displacements. The published code clips nothing.

    Parameters
    ----------
    network
        The energy U.
    steps
        Published: 1500.
    step, deviation
        The paper's eps^2 / 2 / T and eps; the published code takes 1 and 0.01, so that U is in units of T = eps^2 / 2.
    initial_deviation
        Of normal noise before the first step; others who attacked this purifier start it with 0.015.
    block
        Steps that a step of the chain takes: its gradients keep so many times fewer states, and graphs as much longer.
    clip
        Bring the last images back to [0, 1].
    """

    version: ClassVar[int] = 1
    network: Trained
    steps: int = 1500
    step: float = 1.0
    deviation: float = 0.01
    initial_deviation: float = 0.0
    block: int = 1
    clip: bool = False

    def __post_init__(self) -> None:
        check_counts(self, "steps", "block")
        check_sizes(self, "step", "deviation", "initial_deviation")
        check_flags(self, "clip")

    @property
    def declaration(self) -> Declaration:
        return Declaration("energy", self.network.checkpoint, "unrolled", "clamped" if self.clip else "unbounded")

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> Chain:
        self.network.check(image_shape)
        blocks = [range(first, min(first + self.block, self.steps)) for first in range(0, self.steps, self.block)]

        def begin(images: Tensor) -> Tensor:
            state = 2 * images - 1
            if not self.initial_deviation:
                return state
            return state + self.initial_deviation * noise.child("initial").normal_like(state)

        def end(state: Tensor) -> Tensor:
            return to_images(state).clamp(0, 1) if self.clip else to_images(state)

        return Chain((begin, *[self._moved(numbers, noise.child("langevin")) for numbers in blocks], end))

    def _moved(self, numbers: Sequence[int], noise: Noise) -> ImageMap:
        """Return the step of the chain that takes these steps of the dynamics."""

        def step(state: Tensor) -> Tensor:
            for number in numbers:
                moved = state - self.step * _slope(self.network, state)
                state = moved + self.deviation * noise.child(number).normal_like(state)
            return state

        return step


def _slope(network: Trained, state: Tensor) -> Tensor:
    """Return the gradient of every image's energy; it can itself be differentiated."""
    evaluated(len(state))
    energy = network.module(state.device, state.dtype)
    found: Tensor = grad(lambda asked: energy(asked).sum())(state)
    return found
