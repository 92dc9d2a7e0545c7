"""Random sampling (Zhang et al. 2024, DiffAP): every reverse step forgets its noise and draws all of it anew."""

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

import torch
from torch import Tensor

from purigeom.geometry.chain import Chain
from purigeom.networks.diffusion.predictor import NoisePredictor
from purigeom.noise import Noise
from purigeom.protocols import Declaration, ImageMap
from purigeom.purifiers.diffusion.guided import (
    declared_guided,
    guided,
    noised,
    noised_with_reference,
    without_reference,
)
from purigeom.purifiers.diffusion.process import (
    Denoising,
    Noising,
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
from purigeom.settings import check_choices, check_counts, check_flags, check_sizes

Deviation: TypeAlias = Literal["marginal", "posterior"]


@dataclass(frozen=True)
class RandomSampling:
    """Noise the image, then guess the clean one and noise the guess to the next lower level, again and again.

    Guided, every guess is pulled towards the input in closed form: gradients are exact either way.

    Parameters
    ----------
    network, depth, steps, clip
        As for `DDPM`; the published guess is not clipped.
    scale
        Of the mediator's guidance: 30000 where it is used, zero in the published attack. The pull goes with one over
        the number of pixels and exceeds the distance it closes for the published number and one image alone.
    deviation
        Of the fresh noise: "marginal", all that the next level has, or "posterior", the smaller one of ancestral
        sampling, which is what the published code draws.
    reference_batch
        The published guide is a mean over a batch: divide the pull as a batch of this size does.
    """

    version: ClassVar[int] = 1
    network: NoisePredictor
    depth: int = 1000
    steps: int = 5
    scale: float = 0.0
    clip: bool = False
    deviation: Deviation = "marginal"
    reference_batch: int = 1

    def __post_init__(self) -> None:
        check_depth(self, self.steps)
        check_counts(self, "steps", "reference_batch")
        check_sizes(self, "scale")
        check_flags(self, "clip")
        check_choices(self, deviation=Deviation)

    @property
    def declaration(self) -> Declaration:
        return declared_guided(self, "exact", clip=False) if self.scale else declared(self, clip=self.clip)

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> Chain:
        signals, levels = signal_levels(self, image_shape), respaced(self.depth, self.steps)
        signal, forward, reverse = signals[self.depth - 1], noise.child("forward"), noise.child("reverse")
        if self.scale:
            steps = [guided(self.network, _guided(self, signals, pair, reverse)) for pair in levels]
            return Chain((noised_with_reference(signal, forward), *steps, without_reference))
        return Chain((Noising(signal, forward), *(_free(self, signals, pair, reverse) for pair in levels), to_images))


def _free(purifier: RandomSampling, signals: list[float], levels: tuple[int, int | None], noise: Noise) -> Denoising:
    """Return the step that guesses, and noises the guess."""

    def step(state: Tensor) -> Tensor:
        return _renoised(purifier, signals, levels, _guess(purifier, signals, levels[0], state), noise)

    return denoising(purifier.network, step, 1.0 if levels[1] is None else signals[levels[1]])


def _guided(purifier: RandomSampling, signals: list[float], levels: tuple[int, int | None], noise: Noise) -> ImageMap:
    """Return the step that guesses, pulls the guess towards the input, and noises it."""
    pull = 2 * purifier.scale * signals[levels[0]] ** 0.5 / purifier.reference_batch

    def step(wide: Tensor) -> Tensor:
        state, reference = wide.chunk(2, 1)
        guess = _guess(purifier, signals, levels[0], state)
        guess = guess - pull / guess[0].numel() * (guess - reference)
        return torch.cat([_renoised(purifier, signals, levels, guess, noise), reference], 1)

    return step


def _guess(purifier: RandomSampling, signals: list[float], level: int, state: Tensor) -> Tensor:
    return denoised(state, predicted_noise(purifier.network, state, level), signals[level], clip=purifier.clip)


def _renoised(
    purifier: RandomSampling, signals: list[float], levels: tuple[int, int | None], guess: Tensor, noise: Noise
) -> Tensor:
    """Return the guess at the next lower level, with noise that owes nothing to the state."""
    level, lower = levels
    if lower is None:
        return guess
    if purifier.deviation == "marginal":
        return noised(guess, signals[lower], noise.child(level))
    variance = posterior(signals[level], signals[lower], "small").variance
    return signals[lower] ** 0.5 * guess + variance**0.5 * noise.child(level).normal_like(guess)
