"""Flow matching (the idea of FlowPure): follow a velocity from an image to the clean one it may have come from."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from purigeom.cost import evaluated
from purigeom.geometry.chain import Chain
from purigeom.networks.trained import Trained
from purigeom.networks.velocity import INDICES
from purigeom.noise import Noise
from purigeom.protocols import Declaration, ImageMap
from purigeom.purifiers.diffusion.process import to_images
from purigeom.settings import check_counts, check_flags, check_sizes


@dataclass(frozen=True)
class FlowMatching:
    """Integrate dX/dt = v(X, t) from `start` to 1 with Euler's method, for pixels in [-1, 1].

    A reconstruction from the method's idea, not from its code: sizes of the network and its training are our own.

    Parameters
    ----------
    network
        The velocity v. What it was trained to begin from says how to use it: at attacked images without noise, or at
        noised ones with the `sigma` of its training.
    steps
        Of Euler's method, all of the same length.
    start
        The time at which the image enters: 0 is where paths to clean images begin, a later one moves it less.
    sigma
        The deviation, for pixels in [0, 1], of the noise at time 0; at a later start the share 1 - start of
        it is there.
    clip
        Bring the last images back to [0, 1].
    """

    version: ClassVar[int] = 1
    network: Trained
    steps: int = 10
    start: float = 0.0
    sigma: float = 0.0
    clip: bool = True

    def __post_init__(self) -> None:
        check_counts(self, "steps")
        check_sizes(self, "start", "sigma")
        check_flags(self, "clip")
        if self.start >= 1:
            msg = f"FlowMatching.start must be below 1, the time of clean images; got {self.start!r}."
            raise ValueError(msg)

    @property
    def declaration(self) -> Declaration:
        return Declaration("flow", self.network.checkpoint, range="clamped" if self.clip else "unbounded")

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> Chain:
        self.network.check(image_shape)
        length = (1 - self.start) / self.steps
        deviation = self.sigma * (1 - self.start)

        def begin(images: Tensor) -> Tensor:
            noisy = images + deviation * noise.child("noise").normal_like(images) if deviation else images
            return 2 * noisy - 1

        def end(state: Tensor) -> Tensor:
            return to_images(state).clamp(0, 1) if self.clip else to_images(state)

        times = [self.start + number * length for number in range(self.steps)]
        return Chain((begin, *[_euler(self.network, time, length) for time in times], end))


def _euler(network: Trained, time: float, length: float) -> ImageMap:
    """Return the step from one time to the next."""

    def step(state: Tensor) -> Tensor:
        evaluated(len(state))
        index = state.new_tensor(INDICES * time)
        velocity: Tensor = network.module(state.device, state.dtype)(state, index).sample
        return state + length * velocity

    return step
