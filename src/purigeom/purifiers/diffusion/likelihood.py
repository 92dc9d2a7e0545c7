"""Likelihood maximisation (Chen et al. 2024), as DiffHammer evaluates it: ScoreOpt-O with moments of its own."""

from dataclasses import dataclass
from typing import ClassVar

from purigeom.geometry.chain import Chain
from purigeom.networks.diffusion.predictor import NoisePredictor
from purigeom.noise import Noise
from purigeom.protocols import Declaration
from purigeom.purifiers.diffusion.adam import Adam
from purigeom.purifiers.diffusion.guided import declared_guided
from purigeom.purifiers.diffusion.levels import denoiser
from purigeom.purifiers.diffusion.score_opt import FAMILY, Drawn, beginning, found_images, likelihood_step
from purigeom.settings import check_counts, check_flags, check_sizes


@dataclass(frozen=True)
class LikelihoodMaximisation:
    """Move the image down |D(p + s e; s) - p|^2 by Adam, with deviations s between two ends.

    Gradients are those of the unrolled iterations. The published code takes the second moment for a constant in its
    gradient, and keeps images within a distance that no image reaches; neither is done here.

    Parameters
    ----------
    network
        The noise predictor, asked for the denoiser D.
    lowest, highest
        Between which every image draws its deviation, anew in every iteration.
    iterations, rate
        Steps of Adam, and how far each goes.
    compounded
        Carry Adam's corrected moments on, as the published code does, in place of Adam's own.
    reference_batch
        Divide the objective as its published mean over a batch of this size does; Adam almost undoes it.
    """

    version: ClassVar[int] = 1
    network: NoisePredictor
    lowest: float = 0.4
    highest: float = 0.6
    iterations: int = 5
    rate: float = 0.1
    compounded: bool = False
    reference_batch: int = 1

    def __post_init__(self) -> None:
        check_counts(self, "iterations", "reference_batch")
        check_sizes(self, "lowest", "highest", "rate")
        check_flags(self, "compounded")
        if self.highest < self.lowest:
            msg = f"LikelihoodMaximisation.highest must not be below lowest, {self.lowest}; got {self.highest}."
            raise ValueError(msg)

    @property
    def declaration(self) -> Declaration:
        return declared_guided(self, "unrolled", clip=True, family=FAMILY)

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> Chain:
        clean = denoiser(self.network, image_shape)
        clean.check(self.lowest, "LikelihoodMaximisation.lowest")
        clean.check(self.highest, "LikelihoodMaximisation.highest")
        adam = Adam(self.rate, self.compounded)
        middle, spread = (self.lowest + self.highest) / 2, (self.highest - self.lowest) / 2
        steps = [
            likelihood_step(
                clean, adam, count, Drawn(noise.child("iteration", count), middle, spread), self.reference_batch
            )
            for count in range(1, self.iterations + 1)
        ]
        return Chain((beginning, *steps, found_images))
