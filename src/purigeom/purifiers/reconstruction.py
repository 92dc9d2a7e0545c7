"""A trained autoencoder as a purifier: no diffusion, no randomness."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from purigeom.cost import evaluated
from purigeom.networks.autoencoder import Autoencoder
from purigeom.noise import Noise
from purigeom.protocols import Declaration, ImageMap


@dataclass(frozen=True)
class Reconstruction:
    """Encode the image and decode it again, clipped to the image range.

    Trained with the purification loss |G(x_adv) - x|_1 it is the control that arXiv 2501.16904 compares its masked
    autoencoder with.
    """

    network: Autoencoder

    version: ClassVar[int] = 1

    @property
    def declaration(self) -> Declaration:
        return Declaration("autoencoder", self.network.checkpoint)

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> ImageMap:
        del noise
        self.network.check(image_shape)

        def purify(images: Tensor) -> Tensor:
            evaluated(len(images))
            decoded: Tensor = self.network.module(images.device, images.dtype)(images)
            return decoded.clamp(0, 1)

        return purify
