"""A prior whose best denoiser is known, in place of a network."""

from dataclasses import dataclass

import numpy as np
import torch

from purigeom.networks.diffusion.predictor import Prediction

SIGNALS = torch.cumprod(1 - torch.linspace(1e-4, 2e-2, 1000, dtype=torch.float64), 0)
LOGARITHMS = np.log((1 - SIGNALS.numpy()) / SIGNALS.numpy()) / 2


@dataclass(frozen=True)
class GaussianPrior:
    """The exact noise predictor of states drawn from N(0, variance), on the linear schedule.

    Between its levels the logarithm of the noise's deviation is linear in the time index.
    """

    variance: float = 0.3
    checkpoint: str = "gaussian"

    def content(self) -> str:
        return repr(self)

    def check(self, image_shape) -> None: ...

    def alpha_bars(self):
        return SIGNALS

    def deviation(self, index) -> float:
        return float(np.exp(np.interp(float(index), range(len(LOGARITHMS)), LOGARITHMS)))

    def module(self, device, dtype):
        def predict(state, index):
            deviation = self.deviation(index)
            noisy = state * (1 + deviation**2) ** 0.5
            return Prediction(deviation * noisy / (self.variance + deviation**2))

        return predict
