"""Diffusion-driven adaptation (Gao et al. 2023): denoising that keeps the low frequencies of the input."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from purigeom.geometry.chain import Chain
from purigeom.networks.diffusion.predictor import NoisePredictor
from purigeom.noise import Noise
from purigeom.protocols import Declaration, ImageMap
from purigeom.purifiers.diffusion.guided import (
    Guided,
    declared_guided,
    guided,
    noised_with_reference,
    slope,
    without_reference,
    without_reference_clamped,
)
from purigeom.purifiers.diffusion.process import (
    Variance,
    check_depth,
    denoised,
    posterior,
    predicted_noise,
    respaced,
    signal_levels,
)
from purigeom.purifiers.diffusion.resizing import Resizing, low_pass
from purigeom.settings import check_choices, check_counts, check_flags, check_sizes


@dataclass(frozen=True)
class DDA:
    """Noise the image, and after every reverse step move against the slope of |low-pass(input - guess)|.

    The slope goes through the network, and gradients through the slope: they are those of the unrolled steps. Adding up
    what a classifier says of the image and of its purified form, as the paper does, is the classifier's business.

    Parameters
    ----------
    network, depth, steps, clip
        As for `DDPM`; clipping also brings the last images back to [0, 1].
    variance
        The published network learns its own, between "small" and "large"; a noise predictor does not say it.
    scale
        How far a step moves: 6 for three channels of 256 x 256. The slope has a length of its own whatever the number
        of pixels: for as much per pixel, a `scale` for other images goes with the root of their size.
    factor
        By how much the low-pass shrinks the image before it enlarges it again.
    reference_batch
        The published norm is one over all images of a batch, which no single image can reproduce: it is divided by the
        root of this size, as in a batch whose images are all as far from their references.
    """

    version: ClassVar[int] = 1
    network: NoisePredictor
    depth: int = 500
    steps: int | None = 50
    scale: float = 6.0
    factor: int = 4
    clip: bool = True
    variance: Variance = "small"
    reference_batch: int = 1

    def __post_init__(self) -> None:
        check_depth(self, self.steps)
        check_counts(self, "factor", "reference_batch")
        check_sizes(self, "scale")
        check_flags(self, "clip")
        check_choices(self, variance=Variance)

    @property
    def declaration(self) -> Declaration:
        return declared_guided(self, "unrolled", clip=self.clip)

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> Chain:
        signals, smooth = signal_levels(self, image_shape), low_pass(image_shape, self.factor, "DDA.factor")
        begin = noised_with_reference(signals[self.depth - 1], noise.child("forward"))
        steps: list[ImageMap] = [
            _step(self, signals, levels, noise.child("reverse"), smooth) for levels in respaced(self.depth, self.steps)
        ]
        return Chain((begin, *steps, without_reference_clamped if self.clip else without_reference))


def _step(
    purifier: DDA, signals: list[float], levels: tuple[int, int | None], noise: Noise, smooth: Resizing
) -> Guided:
    level, lower = levels
    signal = signals[level]
    gaussian = posterior(signal, 1.0 if lower is None else signals[lower], purifier.variance)
    reach = purifier.scale / purifier.reference_batch**0.5

    def step(wide: Tensor) -> Tensor:
        state, reference = wide.chunk(2, 1)

        def departure(state: Tensor) -> tuple[Tensor, Tensor]:
            guess = denoised(state, predicted_noise(purifier.network, state, level), signal, clip=purifier.clip)
            return smooth(reference - guess).flatten(1).norm(dim=1), guess

        gradient, guess = slope(departure, state)
        mean = gaussian.mean(guess, state) - reach * gradient
        following = mean if lower is None else gaussian.draw(mean, noise.child(level))
        return torch.cat([following, reference], 1)

    return guided(purifier.network, step)
