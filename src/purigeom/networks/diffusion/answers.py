"""How a network's answer becomes the noise in a state."""

import math

from torch import Tensor, nn

from purigeom.networks.diffusion.network import Network
from purigeom.networks.diffusion.predictor import Prediction
from purigeom.networks.diffusion.schedule import signal

_IMAGE_DEVIATION = 0.5
"""Of the pixels that Karras et al. scale their networks for."""


class Direct(nn.Module):
    """A network whose answer's first channels are the noise; others, if there are any, are variances."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, state: Tensor, time: float | Tensor) -> Prediction:
        """Return the noise in states that share one time index."""
        return Prediction(self.network(state, time)[:, : state.shape[1]])


class Preconditioned(nn.Module):
    """A network that helps to denoise noisy images of any deviation s, as in Karras et al. (2022), equation 7.

    With pixels of deviation d and r^2 = s^2 + d^2, the denoised image is (d/r)^2 y + (s d/r) F(y/r, log(s)/4), and the
    noise is what it lacks to y, over s: (s/r^2) y - (d/r) F.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, state: Tensor, time: float | Tensor) -> Prediction:
        """Return the noise in states of one time index, which are noisy images scaled by the root of their signal."""
        level = signal(time)
        noise = ((1 - level) / level) ** 0.5
        reach = (noise**2 + _IMAGE_DEVIATION**2) ** 0.5
        inputs = state / (reach * level**0.5)
        answer = self.network(inputs, math.log(noise) / 4)
        return Prediction(noise / reach * inputs - _IMAGE_DEVIATION / reach * answer)
