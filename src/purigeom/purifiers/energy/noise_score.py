"""The score of a diffusion model at one small noise level, where a score that is told no level is asked for."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from purigeom.networks.diffusion.predictor import NoisePredictor, rounding
from purigeom.protocols import ImageMap
from purigeom.purifiers.diffusion.levels import denoiser
from purigeom.settings import check_flags, check_sizes


@dataclass(frozen=True)
class NoiseScore:
    """Minus the noise that a noise predictor sees, over its deviation: the score of images under such noise.

    A network of one level differs from the published one, which saw noise of many levels and is told none: it takes
    noise of any size for its own, and its steps are short where there is more.

    Parameters
    ----------
    network
        The noise predictor.
    deviation
        The level it is asked at, for pixels in [0, 1].
    unified
        Leave the division out, as the published code does for all its levels.
    """

    version: ClassVar[int] = 1
    network: NoisePredictor
    deviation: float = 0.1
    unified: bool = False

    def __post_init__(self) -> None:
        check_sizes(self, "deviation")
        check_flags(self, "unified")

    @property
    def checkpoint(self) -> str:
        """Return the name that all samplers of the network share."""
        return self.network.checkpoint

    @property
    def rounding(self) -> float:
        """Return the machine precision of the network, where that is coarser than the images'."""
        return rounding(self.network)

    def scores(self, image_shape: tuple[int, ...]) -> ImageMap:
        """Return the map from images to scores; raise unless images and the level fit the network."""
        noisy, deviation = denoiser(self.network, image_shape), 2 * self.deviation
        noisy.check(deviation, "Twice NoiseScore.deviation")
        scale = -1.0 if self.unified else -1 / self.deviation

        def answer(images: Tensor) -> Tensor:
            return scale * noisy.noise(2 * images - 1, deviation)

        return answer
