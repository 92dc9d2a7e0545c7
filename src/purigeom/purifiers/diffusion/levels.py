"""Noise levels between a schedule's own: the denoiser at any deviation, and the time index at which to ask for it."""

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from purigeom.networks.diffusion.predictor import NoisePredictor, continuous
from purigeom.purifiers.diffusion.process import predicted_noise


@dataclass(frozen=True)
class Denoiser:
    """The guess D(y; s) of the clean state that became y by noise of deviation s (Karras et al. 2022).

    The network is asked at the signal level 1 / (1 + s^2). Between two levels of its schedule, the time index of one
    that was trained on levels is interpolated in the logarithm of the deviation; that of one which knows the VP-SDE is
    where the SDE has this signal.

    Parameters
    ----------
    network
        The noise predictor.
    deviations
        Of the noise at every time index of its schedule, relative to the clean state.
    rates
        Of the VP-SDE at both ends of unit time, for a network that knows it.
    """

    network: NoisePredictor
    deviations: tuple[float, ...]
    rates: tuple[float, float] | None = None

    def __call__(self, noisy: Tensor, deviation: float) -> Tensor:
        return noisy - deviation * self.noise(noisy, deviation)

    def noise(self, noisy: Tensor, deviation: float) -> Tensor:
        """Return the guess of the standard noise in y."""
        return predicted_noise(self.network, signal(deviation) ** 0.5 * noisy, self.index(deviation))

    def index(self, deviation: float) -> float:
        """Return the time index of a deviation, whole where it is a level's own."""
        self.check(deviation, "A deviation")
        upper = bisect_left(self.deviations, deviation)
        if self.deviations[upper] == deviation:
            return upper
        if self.rates is not None:
            first, rise = self.rates[0], self.rates[1] - self.rates[0]
            unit = (math.sqrt(first**2 + 2 * rise * math.log1p(deviation**2)) - first) / rise
            return unit * (len(self.deviations) - 1)
        low, high = (math.log(self.deviations[place]) for place in (upper - 1, upper))
        return upper - 1 + (math.log(deviation) - low) / (high - low)

    def check(self, deviation: float, who: str) -> None:
        """Raise unless a deviation lies within the schedule."""
        first, last = self.deviations[0], self.deviations[-1]
        if not first <= deviation <= last:
            msg = (
                f"{who} must lie between {first:.4g} and {last:.4g}, the first and last noise levels of "
                f"{self.network}; got {deviation:.4g}."
            )
            raise ValueError(msg)


def denoiser(network: NoisePredictor, image_shape: tuple[int, ...]) -> Denoiser:
    """Return the denoiser of a network; raise unless images fit it."""
    network.check(image_shape)
    signals = network.alpha_bars()
    deviations = tuple(((1 - signals) / signals).sqrt().tolist())
    if not continuous(network):
        return Denoiser(network, deviations)
    count = len(deviations)
    rates = count * (1 - signals[0]).item(), count * (1 - signals[-1] / signals[-2]).item()
    return Denoiser(network, deviations, rates)


def signal(deviation: float) -> float:
    """Return the signal level of a state whose noise has a deviation relative to the clean state."""
    return 1 / (1 + deviation**2)


def by_deviation(function: Callable[[Tensor, float], Tensor], states: Tensor, deviations: Sequence[float]) -> Tensor:
    """Apply a function to states of one deviation each, all that share one at once: a network knows one at a time."""
    distinct = list(dict.fromkeys(deviations))
    if len(distinct) == 1:
        return function(states, distinct[0])
    places = [[place for place, one in enumerate(deviations) if one == deviation] for deviation in distinct]
    parts = [function(states[rows], deviation) for rows, deviation in zip(places, distinct, strict=True)]
    order = torch.tensor([place for rows in places for place in rows])
    return torch.cat(parts)[order.argsort()]
