"""Repeated shallow rounds of diffusion, as in LoRID (Zollicoffer et al. 2025)."""

from dataclasses import dataclass
from typing import ClassVar

from purigeom.geometry.chain import Chain
from purigeom.networks.diffusion.predictor import NoisePredictor
from purigeom.noise import Noise
from purigeom.protocols import Declaration
from purigeom.purifiers.composed import Repeat
from purigeom.purifiers.diffusion.ddpm import DDPM
from purigeom.purifiers.diffusion.process import Variance, check_depth, declared
from purigeom.settings import check_choices, check_counts, check_flags


@dataclass(frozen=True)
class LoRID:
    """Noise a little and denoise by ancestral sampling, many times over, with fresh randomness each time.

    What LoRID does besides to images of much noise, a Tucker decomposition of the batch, couples the images of a batch
    and is left out: these are its rounds alone.

    Parameters
    ----------
    network, depth, steps, clip, variance
        As for `DDPM`; the depth is that of one round.
    rounds
        How often. Depth and rounds together are the paper's trade of clean against robust accuracy.
    """

    version: ClassVar[int] = 1
    network: NoisePredictor
    depth: int
    rounds: int
    steps: int | None = None
    clip: bool = True
    variance: Variance = "small"

    def __post_init__(self) -> None:
        check_counts(self, "rounds")
        check_depth(self, self.steps)
        check_flags(self, "clip")
        check_choices(self, variance=Variance)

    @property
    def declaration(self) -> Declaration:
        return declared(self, clip=self.clip)

    def one_round(self) -> DDPM:
        """Return the sampler of a single round."""
        return DDPM(self.network, self.depth, self.steps, self.clip, self.variance)

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> Chain:
        return Repeat(self.one_round(), self.rounds).pin(noise, image_shape)
