"""Guided diffusion purification (Wang et al. 2022): every reverse step is pulled towards the noised input."""

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

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
    noised,
    with_reference,
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
from purigeom.purifiers.diffusion.similarity import similarity_slope
from purigeom.settings import check_choices, check_counts, check_flags, check_sizes, check_whole

Guide: TypeAlias = Literal["mse", "ssim"]
Reference: TypeAlias = Literal["noised", "clean"]


@dataclass(frozen=True)
class GDMP:
    """Noise and denoise in rounds; every step climbs the likeness of its state to the input, noised as much.

    The guide's slope has a closed form in which the network does not appear: gradients are exact. Its size goes with
    one over the number of pixels: a `scale` for other images is the published one times the ratio of their sizes.

    Parameters
    ----------
    network, depth, steps, clip, variance
        As for `DDPM`; clipping also brings the last images back to [0, 1].
    rounds
        How often the image is noised and denoised, each time guided by the input itself.
    guide
        What is climbed: minus the mean squared error, or the structural similarity.
    scale
        Published: 60000 for "mse", 70000 for "ssim".
    perturbation
        The attack's reach, in 255ths, that the pull is divided by.
    reference
        The input "noised" with fresh noise at every step, or "clean", as on ImageNet.
    reference_batch
        Published guides are means over a batch: divide the pull as a batch of this size does (100 for CIFAR-10).
    level_offset
        One noises a level deeper than denoising starts, as the published code does.
    """

    version: ClassVar[int] = 1
    network: NoisePredictor
    depth: int = 36
    rounds: int = 4
    steps: int | None = None
    guide: Guide = "mse"
    scale: float = 60000.0
    perturbation: float = 8.0
    reference: Reference = "noised"
    reference_batch: int = 1
    level_offset: int = 0
    clip: bool = True
    variance: Variance = "large"

    def __post_init__(self) -> None:
        check_depth(self, self.steps)
        check_counts(self, "rounds", "reference_batch")
        check_whole(self, "level_offset")
        check_sizes(self, "scale", "perturbation")
        check_flags(self, "clip")
        check_choices(self, guide=Guide, reference=Reference, variance=Variance)
        if not self.perturbation:
            msg = "GDMP.perturbation divides the pull and must not be zero; set scale=0 for no guidance."
            raise ValueError(msg)

    @property
    def declaration(self) -> Declaration:
        return declared_guided(self, "exact", clip=self.clip)

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> Chain:
        signals = signal_levels(self, image_shape, self.level_offset)
        steps: list[ImageMap] = [with_reference]
        for number in range(self.rounds):
            own = noise.child("round", number)
            steps.append(_noising(signals[self.depth - 1 + self.level_offset], own.child("forward")))
            steps += [_step(self, signals, levels, own) for levels in respaced(self.depth, self.steps)]
        return Chain((*steps, without_reference_clamped if self.clip else without_reference))


def _noising(signal: float, noise: Noise) -> ImageMap:
    """Return the step that noises the state and leaves what guides it."""

    def step(wide: Tensor) -> Tensor:
        state, reference = wide.chunk(2, 1)
        return torch.cat([noised(state, signal, noise), reference], 1)

    return step


def _step(purifier: GDMP, signals: list[float], levels: tuple[int, int | None], noise: Noise) -> Guided:
    level, lower = levels
    signal = signals[level]
    gaussian = posterior(signal, 1.0 if lower is None else signals[lower], purifier.variance)
    pull = gaussian.variance * _strength(purifier, signal)

    def step(wide: Tensor) -> Tensor:
        state, reference = wide.chunk(2, 1)
        guess = denoised(state, predicted_noise(purifier.network, state, level), signal, clip=purifier.clip)
        towards = reference
        if purifier.reference == "noised":
            towards = noised(reference, signal, noise.child("reference", level))
        mean = gaussian.mean(guess, state) + pull * _likeness_slope(purifier.guide, state, towards)
        following = mean if lower is None else gaussian.draw(mean, noise.child("reverse", level))
        return torch.cat([following, reference], 1)

    return guided(purifier.network, step)


def _strength(purifier: GDMP, signal: float) -> float:
    """Return what multiplies the slope of the guide besides the step's variance."""
    reach = 2 * purifier.perturbation / 255
    return ((1 - signal) / signal) ** 0.5 * 3 * purifier.scale / reach / purifier.reference_batch


def _likeness_slope(guide: Guide, state: Tensor, reference: Tensor) -> Tensor:
    """Return the gradient of an image's likeness to its reference."""
    if guide == "ssim":
        return similarity_slope(state, reference)
    return 2 * (reference - state) / state[0].numel()
