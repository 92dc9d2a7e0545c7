"""MimicDiffusion (Song and Lai 2024): sampling from pure noise, pushed by signs towards the input."""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import torch
from torch import Tensor

from purigeom.geometry.chain import Chain
from purigeom.networks.diffusion.predictor import NoisePredictor
from purigeom.noise import Noise
from purigeom.protocols import Declaration, ImageMap
from purigeom.purifiers.diffusion.guided import Guided, declared_guided, guided, slope, without_reference
from purigeom.purifiers.diffusion.process import (
    check_depth,
    denoised,
    posterior,
    predicted_noise,
    respaced,
    signal_levels,
)
from purigeom.purifiers.diffusion.resizing import Resampling, Resizing, enlarging
from purigeom.settings import check_choices, check_counts, check_flags, check_sizes

Levels: TypeAlias = tuple[int, int | None]
"""A level and the next lower one, or None for the clean image."""


@dataclass(frozen=True)
class MimicDiffusion:
    """Sample from noise, moving every step against the slope of the guess's distance to the input, in absolute values.

    Of the image nothing enters but signs, whose slope is zero: the Jacobian is zero almost everywhere, with and without
    the network in the guide's slope, and the map is piecewise constant. The size of a push goes with one over the
    number of pixels: a `scale` for other images is the published one times the ratio of their sizes.

    Parameters
    ----------
    network
        The noise predictor.
    depth, steps
        Where noise begins, and how many steps lead to the image; the guess is not clipped.
    scale
        Of both guidances, at full resolution and enlarged.
    first, last
        Which steps are guided, as shares of all: 21 to 89 of a hundred.
    through_network
        Whether the guide's slope goes through the network, as in the paper. The published code leaves the network
        out: its guidance is a constant sign step.
    enlarged
        How the second guidance enlarges: the paper says super-resolution and not which. "nearest", which is what the
        published code does, makes the second guidance the first once more; "bicubic" is a reconstruction that does not.
    factor
        By how much it enlarges.
    reference_batch
        Published guides are means over a batch: divide the push as a batch of this size does.
    """

    version: ClassVar[int] = 1
    network: NoisePredictor
    depth: int = 1000
    steps: int = 100
    scale: float = 3000.0
    first: float = 0.21
    last: float = 0.89
    through_network: bool = True
    enlarged: Resampling = "nearest"
    factor: int = 4
    reference_batch: int = 1

    def __post_init__(self) -> None:
        check_depth(self, self.steps)
        check_counts(self, "steps", "factor", "reference_batch")
        check_sizes(self, "scale", "first", "last")
        check_flags(self, "through_network")
        check_choices(self, enlarged=Resampling)
        if not self.first <= self.last <= 1:
            msg = f"MimicDiffusion needs first <= last <= 1, shares of all steps; got {self.first} and {self.last}."
            raise ValueError(msg)

    @property
    def declaration(self) -> Declaration:
        return declared_guided(self, "piecewise constant", clip=False)

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> Chain:
        signals, larger = signal_levels(self, image_shape), enlarging(image_shape, self.factor, self.enlarged)

        def begin(images: Tensor) -> Tensor:
            return torch.cat([noise.child("start").normal_like(images), 2 * images - 1], 1)

        steps = [
            _step(self, signals, levels, noise.child("reverse"), larger if self._guides(count) else None)
            for count, levels in enumerate(respaced(self.depth, self.steps))
        ]
        return Chain((begin, *steps, without_reference))

    def _guides(self, count: int) -> bool:
        return round(self.first * self.steps) <= count <= round(self.last * self.steps)


def _step(
    purifier: MimicDiffusion,
    signals: list[float],
    levels: Levels,
    noise: Noise,
    larger: Resizing | None,
) -> Guided:
    level, lower = levels
    signal = signals[level]
    gaussian = posterior(signal, 1.0 if lower is None else signals[lower], "small")
    push = purifier.scale * signal**0.5 / purifier.reference_batch

    def guess_of(state: Tensor) -> Tensor:
        return denoised(state, predicted_noise(purifier.network, state, level), signal, clip=False)

    def step(wide: Tensor) -> Tensor:
        state, reference = wide.chunk(2, 1)
        state = state.detach()  # it has no slope of its own, and rounding is not to give it one
        if larger is None:
            mean = gaussian.mean(guess_of(state), state)
        else:
            gradient, guess = _guidance(guess_of, state, reference, larger, through=purifier.through_network)
            mean = gaussian.mean(guess, state) - push * gradient / (1.0 if purifier.through_network else signal**0.5)
        following = mean if lower is None else gaussian.draw(mean, noise.child(level))
        return torch.cat([following, reference], 1)

    return guided(purifier.network, step)


def _guidance(
    guess_of: ImageMap, state: Tensor, reference: Tensor, larger: Resizing, *, through: bool
) -> tuple[Tensor, Tensor]:
    """Return the distances' gradient with respect to the state, or to its guess alone, and the guess."""

    def departure(guess: Tensor) -> tuple[Tensor, Tensor]:
        return distance(guess, reference, larger), guess

    if through:
        return slope(lambda state: departure(guess_of(state)), state)
    return slope(departure, guess_of(state))


def distance(guess: Tensor, reference: Tensor, larger: Resizing) -> Tensor:
    """Return both distances of every image: absolute values, added over channels, their means over pixels."""
    apart = guess - reference
    return _absolute(apart) + _absolute(larger(apart))


def _absolute(images: Tensor) -> Tensor:
    """Return the mean over pixels of absolute values, added over channels."""
    return images.abs().mean((2, 3)).sum(1)
