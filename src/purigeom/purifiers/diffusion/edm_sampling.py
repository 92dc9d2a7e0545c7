"""Sampling in terms of the denoiser at a deviation (Karras et al. 2022): Heun's rule, of the ODE or with churn."""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from torch import Tensor

from purigeom.geometry.chain import Chain
from purigeom.networks.diffusion.predictor import NoisePredictor
from purigeom.noise import Noise
from purigeom.protocols import Declaration
from purigeom.purifiers.diffusion.levels import Denoiser, denoiser, signal
from purigeom.purifiers.diffusion.process import (
    Denoising,
    Noising,
    check_depth,
    declared,
    denoising,
    signal_levels,
    to_images,
)
from purigeom.settings import check_counts, check_numbers, check_sizes

_MOST_CHURN = math.sqrt(2) - 1


@dataclass(frozen=True)
class EDMSampling:
    """Noise the image to `depth`, then follow dy/ds = (y - D(y; s)) / s down to zero by Heun's rule.

    With `churn` every step first adds noise and goes that much further: Karras et al.'s stochastic sampler. States are
    noisy images scaled by the root of their signal level, as those of all samplers here are. The guess is not clipped.

    Parameters
    ----------
    network
        The noise predictor, asked for the denoiser D; made for those of `EDM`, open to all.
    depth
        Time index whose noise level is the highest deviation.
    steps
        From there to the image; all but the last ask the network twice.
    lowest
        The last deviation before zero; the schedule's first unless given. Published: 0.002.
    curvature
        The larger, the more steps are spent at low deviations; published as rho.
    churn, churn_lowest, churn_highest, churn_noise
        How much noise all steps add together, between which deviations, and how much more than what that takes away.
    """

    version: ClassVar[int] = 1
    network: NoisePredictor
    depth: int
    steps: int = 18
    lowest: float | None = None
    curvature: float = 7.0
    churn: float = 0.0
    churn_lowest: float = 0.0
    churn_highest: float = math.inf
    churn_noise: float = 1.0

    def __post_init__(self) -> None:
        check_depth(self, self.steps)
        check_counts(self, "steps")
        check_sizes(self, "curvature", "churn", "churn_lowest", "churn_noise")
        check_numbers(self, "churn_highest")
        if self.lowest is not None:
            check_sizes(self, "lowest")
        if not self.churn_highest >= self.churn_lowest:
            msg = (
                f"EDMSampling.churn_highest must be at least churn_lowest, {self.churn_lowest}; got "
                f"{self.churn_highest}."
            )
            raise ValueError(msg)
        if self.curvature == 0:
            msg = "EDMSampling.curvature must be positive, 1 for equal steps; got 0."
            raise ValueError(msg)

    @property
    def declaration(self) -> Declaration:
        return declared(self, clip=False)

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> Chain:
        signals, clean = signal_levels(self, image_shape), denoiser(self.network, image_shape)
        falling = self._deviations(clean)
        steps = [self._step(clean, pair, noise.child("churn", place)) for place, pair in enumerate(pairwise(falling))]
        return Chain((Noising(signals[self.depth - 1], noise.child("forward")), *steps, to_images))

    def _deviations(self, clean: Denoiser) -> list[float]:
        """Return the deviations from the depth's to the lowest, and zero."""
        highest = clean.deviations[self.depth - 1]
        lowest = clean.deviations[0] if self.lowest is None else self.lowest
        clean.check(lowest, "EDMSampling.lowest")
        if self.steps > 1 and lowest >= highest:
            msg = (
                f"EDMSampling.lowest must lie below the deviation {highest:.4g} at depth {self.depth}; got "
                f"{lowest:.4g}. Go deeper, or take one step."
            )
            raise ValueError(msg)
        first, last = (deviation ** (1 / self.curvature) for deviation in (highest, lowest))
        bends = [first + place / (self.steps - 1) * (last - first) for place in range(1, self.steps - 1)]
        between = [bend**self.curvature for bend in bends]
        return [highest, *between, *([lowest] if self.steps > 1 else []), 0.0]

    def _step(self, clean: Denoiser, pair: tuple[float, float], noise: Noise) -> Denoising:
        given, lower = pair
        higher = given * (1 + self._churned(given))
        clean.check(higher, "EDMSampling's deviation after churn")
        added = self.churn_noise * (higher**2 - given**2) ** 0.5

        def step(state: Tensor) -> Tensor:
            noisy = state / signal(given) ** 0.5
            if added:
                noisy = noisy + added * noise.normal_like(noisy)
            return signal(lower) ** 0.5 * _heun(clean, noisy, higher, lower)

        return denoising(self.network, step, signal(lower))

    def _churned(self, deviation: float) -> float:
        """Return by which share a step raises its deviation."""
        within = self.churn_lowest <= deviation <= self.churn_highest
        return min(self.churn / self.steps, _MOST_CHURN) if within else 0.0


def _heun(clean: Denoiser, noisy: Tensor, higher: float, lower: float) -> Tensor:
    """Return the noisy image at a lower deviation: Euler's, then with the mean of the slopes at both ends."""
    slope = clean.noise(noisy, higher)
    euler = noisy + (lower - higher) * slope
    if lower == 0:
        return euler
    return noisy + (lower - higher) * (slope + clean.noise(euler, lower)) / 2
