"""A purifier that is one trained network, asked once: no diffusion, no randomness."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from purigeom.cost import evaluated
from purigeom.networks.trained import Restorer
from purigeom.noise import Noise
from purigeom.protocols import Declaration, ImageMap


@dataclass(frozen=True)
class Reconstruction:
    """Return what a network makes of the image, clipped to the image range.

    With DISCO's network it is that purifier. An autoencoder trained with the purification loss |G(x_adv) - x|_1 is the
    control that arXiv 2501.16904 compares its masked autoencoder with; an autoencoder and a DnCNN that were taught to
    take Gaussian noise away never saw an attack.
    """

    network: Restorer

    version: ClassVar[int] = 1

    @property
    def declaration(self) -> Declaration:
        return Declaration(self.network.family, self.network.checkpoint)

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> ImageMap:
        del noise
        self.network.check(image_shape)

        def purify(images: Tensor) -> Tensor:
            evaluated(len(images))
            restored: Tensor = self.network.module(images.device, images.dtype)(images)
            return restored.clamp(0, 1)

        return purify
