"""Score-based optimisation (Zhang et al. 2023): a few steps of Adam towards what the denoiser calls clean."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from purigeom.geometry.chain import Chain
from purigeom.networks.diffusion.predictor import NoisePredictor
from purigeom.noise import Noise
from purigeom.protocols import Declaration
from purigeom.purifiers.diffusion.adam import Adam, at_rest, position
from purigeom.purifiers.diffusion.guided import Guided, declared_guided, guided, slope
from purigeom.purifiers.diffusion.levels import Denoiser, by_deviation, denoiser
from purigeom.purifiers.diffusion.process import to_images
from purigeom.settings import check_counts, check_flags, check_sizes

FAMILY = "score optimisation"


@dataclass(frozen=True)
class ScoreOptO:
    """Move the image p down |D(p + s e; s) - p|^2, with a fresh deviation s and noise e in every iteration.

    Gradients are those of the unrolled iterations, second derivatives of the network included. An image has a
    deviation of its own, so a network that knows one at a time is asked image by image; `shared` asks it once.

    Parameters
    ----------
    network
        The noise predictor, asked for the denoiser D.
    sigma, spread
        The deviations are uniform within `spread` of `sigma`, for pixels in [-1, 1]. Published for CIFAR-10: 0.5
        against adaptive attacks, 0.25 with 20 iterations of rate 0.01 against transferred ones.
    iterations, rate
        Steps of Adam, and how far each goes.
    shared
        Draw one deviation for all images, from noise that knows none of them: the published code's batch has one.
    reference_batch
        Divide the objective as its published mean over a batch of this size does; Adam almost undoes it.
    """

    version: ClassVar[int] = 1
    network: NoisePredictor
    sigma: float = 0.5
    spread: float = 0.1
    iterations: int = 5
    rate: float = 0.1
    shared: bool = False
    reference_batch: int = 1

    def __post_init__(self) -> None:
        check_counts(self, "iterations", "reference_batch")
        check_sizes(self, "sigma", "spread", "rate")
        check_flags(self, "shared")

    @property
    def declaration(self) -> Declaration:
        return declared_guided(self, "unrolled", clip=True, family=FAMILY)

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> Chain:
        clean, name = denoiser(self.network, image_shape), type(self).__name__
        clean.check(self.sigma - self.spread, f"{name}.sigma - spread")
        clean.check(self.sigma + self.spread, f"{name}.sigma + spread")
        adam = Adam(self.rate)
        steps = [
            likelihood_step(clean, adam, count, self._drawn(noise.child("iteration", count)), self.reference_batch)
            for count in range(1, self.iterations + 1)
        ]
        return Chain((beginning, *steps, found_images))

    def _drawn(self, noise: Noise) -> "Drawn":
        return Drawn(noise, self.sigma, self.spread, shared=self.shared)


@dataclass(frozen=True)
class Drawn:
    """The randomness of one iteration: a deviation for every image, and noise."""

    noise: Noise
    sigma: float
    spread: float
    shared: bool = False

    def deviations(self, count: int) -> list[float]:
        """Return the deviation of every image, the same for all where they share it."""
        source = replace(self.noise, image_ids=(0,) * count) if self.shared else self.noise
        units = source.child("deviation").uniform_like(torch.empty(count, 1, dtype=torch.float64))
        return [self.sigma + self.spread * unit for unit in units.flatten().tolist()]


def likelihood_step(clean: Denoiser, adam: Adam, count: int, drawn: Drawn, reference_batch: int = 1) -> Guided:
    """Return the iteration that moves images towards what the denoiser makes of them, noised."""

    def step(carried: Tensor) -> Tensor:
        deviations = drawn.deviations(len(carried))
        gradient, _ = slope(lambda state: _departure(clean, state, deviations, drawn.noise), position(carried))
        return adam(carried, gradient / reference_batch, count)

    return guided(clean.network, step)


def _departure(clean: Denoiser, state: Tensor, deviations: Sequence[float], noise: Noise) -> tuple[Tensor, Tensor]:
    """Return how far every noised image is denoised from where it was: the mean square over its pixels."""
    reach = torch.tensor(deviations, dtype=torch.float64).to(state)[:, None, None, None]
    guess = by_deviation(clean, state + reach * noise.child("noise").normal_like(state), deviations)
    return (guess - state).square().flatten(1).mean(1), guess


def beginning(images: Tensor) -> Tensor:
    """Return the images in [-1, 1] with an optimiser at rest."""
    return at_rest(2 * images - 1)


def found_images(carried: Tensor) -> Tensor:
    """Return the images that an optimiser arrived at, brought back to [0, 1]."""
    return to_images(position(carried)).clamp(0, 1)


@dataclass(frozen=True)
class ScoreOptN:
    """Noise the image once, move the noisy one until the denoiser sees just that noise in it, and denoise it.

    Gradients are those of the unrolled iterations, second derivatives of the network included.

    Parameters
    ----------
    network, iterations, rate, reference_batch
        As for `ScoreOptO`. Published for CIFAR-10: 20 iterations against adaptive attacks; 5 at `sigma` 0.25
        against transferred ones.
    sigma
        The deviation of the noise, for pixels in [-1, 1].
    """

    version: ClassVar[int] = 1
    network: NoisePredictor
    sigma: float = 0.5
    iterations: int = 20
    rate: float = 0.1
    reference_batch: int = 1

    def __post_init__(self) -> None:
        check_counts(self, "iterations", "reference_batch")
        check_sizes(self, "sigma", "rate")

    @property
    def declaration(self) -> Declaration:
        return declared_guided(self, "unrolled", clip=True, family=FAMILY)

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> Chain:
        clean, added = denoiser(self.network, image_shape), noise.child("noise")
        clean.check(self.sigma, "ScoreOptN.sigma")

        def begin(images: Tensor) -> Tensor:
            return at_rest(2 * images - 1 + self.sigma * added.normal_like(images))

        def end(carried: Tensor) -> Tensor:
            return to_images(clean(position(carried), self.sigma)).clamp(0, 1)

        steps = [self._step(clean, count, added) for count in range(1, self.iterations + 1)]
        return Chain((begin, *steps, guided(self.network, end)))

    def _step(self, clean: Denoiser, count: int, added: Noise) -> Guided:
        adam = Adam(self.rate)

        def mistaken(state: Tensor) -> tuple[Tensor, Tensor]:
            seen = clean.noise(state, self.sigma)
            return (seen - added.normal_like(state)).square().flatten(1).mean(1), seen

        def step(carried: Tensor) -> Tensor:
            gradient, _ = slope(mistaken, position(carried))
            return adam(carried, gradient / self.reference_batch, count)

        return guided(self.network, step)
