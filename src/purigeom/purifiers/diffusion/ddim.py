"""Implicit sampling (Song et al. 2021) and its one-step limit, denoised smoothing (Carlini et al. 2023)."""

from dataclasses import dataclass
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
    denoised,
    denoising,
    predicted_noise,
    respaced,
    signal_levels,
    to_images,
)
from purigeom.settings import check_flags, check_whole, is_number


@dataclass(frozen=True)
class DDIM:
    """Noise the image to `depth`, then denoise it with `eta` times the ancestral noise.

    Parameters
    ----------
    network, depth, steps, clip, level_offset
        As for `DDPM`.
    eta
        Zero is the deterministic sampler; one, unclipped, is ancestral sampling of small variance.
    """

    version: ClassVar[int] = 1
    network: NoisePredictor
    depth: int
    steps: int | None = None
    eta: float = 0.0
    clip: bool = True
    level_offset: int = 0

    def __post_init__(self) -> None:
        check_depth(self, self.steps)
        check_flags(self, "clip")
        check_whole(self, "level_offset")
        if not is_number(self.eta) or not 0 <= self.eta <= 1:
            msg = f"DDIM.eta must lie between 0 and 1; got {self.eta!r}."
            raise ValueError(msg)

    @property
    def declaration(self) -> Declaration:
        return declared(self, clip=self.clip)

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> Chain:
        signals = signal_levels(self, image_shape, self.level_offset)
        start = Noising(signals[self.depth - 1 + self.level_offset], noise.child("forward"))
        levels, reverse = respaced(self.depth, self.steps), noise.child("reverse")
        steps = [_implicit(self, signals, level, lower, reverse.child(level)) for level, lower in levels]
        return Chain((start, *steps, to_images))


def _implicit(purifier: DDIM, signals: list[float], level: int, lower: int | None, noise: Noise) -> ImageMap:
    signal, lower_signal = signals[level], 1.0 if lower is None else signals[lower]
    posterior = (1 - signal / lower_signal) * (1 - lower_signal) / (1 - signal)
    deviation = purifier.eta * posterior**0.5
    predicted_weight = (1 - lower_signal - deviation**2) ** 0.5

    def step(state: Tensor) -> Tensor:
        predicted = predicted_noise(purifier.network, state, level)
        guess = denoised(state, predicted, signal, clip=purifier.clip)
        mean = lower_signal**0.5 * guess + predicted_weight * predicted
        return mean + deviation * noise.normal_like(state) if deviation else mean

    return denoising(purifier.network, step, lower_signal)


@dataclass(frozen=True)
class OneShot:
    """Noise the image to `depth` and return the network's one guess of the clean image.

    Parameters
    ----------
    network, depth, clip, level_offset
        As for `DDPM`.
    """

    version: ClassVar[int] = 1
    network: NoisePredictor
    depth: int
    clip: bool = True
    level_offset: int = 0

    def __post_init__(self) -> None:
        check_depth(self)
        check_flags(self, "clip")
        check_whole(self, "level_offset")

    @property
    def declaration(self) -> Declaration:
        return declared(self, clip=self.clip)

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> Chain:
        signals = signal_levels(self, image_shape, self.level_offset)
        level = self.depth - 1

        def guess(state: Tensor) -> Tensor:
            predicted = predicted_noise(self.network, state, level)
            return denoised(state, predicted, signals[level], clip=self.clip)

        start = Noising(signals[level + self.level_offset], noise.child("forward"))
        return Chain((start, denoising(self.network, guess, 1.0), to_images))
