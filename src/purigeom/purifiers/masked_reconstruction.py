"""MAEP (Chen and Lu, arXiv 2501.16904): a masked autoencoder that was taught to take attacks back."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from purigeom.cost import evaluated
from purigeom.networks.masked_autoencoder import MaskedAutoencoder
from purigeom.noise import Noise
from purigeom.protocols import Declaration, ImageMap
from purigeom.settings import is_number


@dataclass(frozen=True)
class MaskedReconstruction:
    """Return what a masked autoencoder makes of the patches that it is shown, clipped to the image range.

    Parameters
    ----------
    network
        Its sizes are unpublished; those of the shipped ones are ours.
    ratio
        The share of patches hidden at random. The paper hides half in training and none in use.
    """

    network: MaskedAutoencoder
    ratio: float = 0.0

    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if not is_number(self.ratio) or not 0 <= self.ratio < 1:
            msg = f"MaskedReconstruction.ratio must be at least 0 and below 1, or nothing is left; got {self.ratio!r}."
            raise ValueError(msg)

    @property
    def declaration(self) -> Declaration:
        return Declaration(self.network.family, self.network.checkpoint)

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> ImageMap:
        self.network.check(image_shape)

        def purify(images: Tensor) -> Tensor:
            evaluated(len(images))
            network = self.network.module(images.device, images.dtype)
            restored: Tensor = network(images, network.drawn(noise.child("mask"), images, self.ratio))
            return restored.clamp(0, 1)

        return purify
