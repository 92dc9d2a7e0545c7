"""Ancestral sampling (Ho et al. 2020): DiffPure's discrete form, and its reverse half alone."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from purigeom.geometry.chain import Chain
from purigeom.networks.diffusion.predictor import NoisePredictor
from purigeom.noise import Noise
from purigeom.protocols import Declaration, ImageMap
from purigeom.purifiers.diffusion.process import (
    Noising,
    Variance,
    check_depth,
    declared,
    denoised,
    denoising,
    posterior,
    predicted_noise,
    respaced,
    signal_levels,
    to_images,
)
from purigeom.settings import check_choices, check_flags, check_whole


@dataclass(frozen=True)
class DDPM:
    """Noise the image to `depth`, then denoise it step by step with fresh noise in every step.

    Parameters
    ----------
    network
        The noise predictor.
    depth
        Time index to which the image is noised.
    steps
        Number of denoising steps, evenly respaced; as many as the depth unless given.
    clip
        Clip the denoised guess to the image range, as Ho et al. do and Lee and Kim do not: clipping makes
        parts of the Jacobian exactly zero.
    variance
        Of each step's noise: the posterior's ("small") or the forward process's ("large").
    level_offset
        Noise this many levels deeper than denoising starts; one reproduces GDMP's mismatch.
    """

    version: ClassVar[int] = 1
    network: NoisePredictor
    depth: int
    steps: int | None = None
    clip: bool = True
    variance: Variance = "small"
    level_offset: int = 0

    def __post_init__(self) -> None:
        check_depth(self, self.steps)
        check_flags(self, "clip")
        check_choices(self, variance=Variance)
        check_whole(self, "level_offset")

    @property
    def declaration(self) -> Declaration:
        return declared(self, clip=self.clip)

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> Chain:
        signals = signal_levels(self, image_shape, self.level_offset)
        start = Noising(signals[self.depth - 1 + self.level_offset], noise.child("forward"))
        return Chain((start, *_reverse(self, signals, noise.child("reverse")), to_images))


@dataclass(frozen=True)
class ReverseOnly:
    """Denoise the image as if it were already noised to `depth`: randomness enters step by step only.

    Parameters
    ----------
    network, depth, steps, clip, variance
        As for `DDPM`.
    rescale
        Scale the image by the signal level it is taken to have. Whether arXiv 2505.22839 does is not
        established.
    """

    version: ClassVar[int] = 1
    network: NoisePredictor
    depth: int
    steps: int | None = None
    clip: bool = True
    variance: Variance = "small"
    rescale: bool = False

    def __post_init__(self) -> None:
        check_depth(self, self.steps)
        check_flags(self, "clip", "rescale")
        check_choices(self, variance=Variance)

    @property
    def declaration(self) -> Declaration:
        return declared(self, clip=self.clip)

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> Chain:
        signals = signal_levels(self, image_shape)
        scale = signals[self.depth - 1] ** 0.5 if self.rescale else 1.0

        def start(images: Tensor) -> Tensor:
            return scale * (2 * images - 1)

        return Chain((start, *_reverse(self, signals, noise.child("reverse")), to_images))


def _reverse(purifier: DDPM | ReverseOnly, signals: list[float], noise: Noise) -> list[ImageMap]:
    levels = respaced(purifier.depth, purifier.steps)
    return [_ancestral(purifier, signals, level, lower, noise.child(level)) for level, lower in levels]


def _ancestral(
    purifier: DDPM | ReverseOnly, signals: list[float], level: int, lower: int | None, noise: Noise
) -> ImageMap:
    """Return the draw from the posterior of the next lower level given this one and the denoised guess."""
    signal, lower_signal = signals[level], 1.0 if lower is None else signals[lower]
    gaussian = posterior(signal, lower_signal, purifier.variance)

    def step(state: Tensor) -> Tensor:
        predicted = predicted_noise(purifier.network, state, level)
        mean = gaussian.mean(denoised(state, predicted, signal, clip=purifier.clip), state)
        return mean if lower is None else gaussian.draw(mean, noise)

    return denoising(purifier.network, step, lower_signal)
