"""SOAP: an image is moved until a self-supervised task that knows no attack is easier on it."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor

from purigeom.cost import evaluated
from purigeom.networks.self_supervised import LOSSES, Auxiliary, Head, SelfSupervised
from purigeom.noise import Noise
from purigeom.protocols import Declaration, ImageMap
from purigeom.purifiers.coupled.descent import Losses, downhill
from purigeom.settings import check_counts, check_positive


@dataclass(frozen=True)
class SOAP:
    """Lower an auxiliary loss by PGD within several radii, and keep each image's best (Shi et al. 2021).

    The shift is made of signs, so that almost everywhere the slope of a pixel is one, or zero where it was clipped to
    [0, 1]: the Jacobian is a diagonal of ones and zeros. There is no randomness.

    Parameters
    ----------
    network
        Features with heads: as a classifier, the one that the original puts behind the purifier.
    auxiliary
        The loss: rebuilding the image, telling its quarter turns, or answering its mirrored and magnified centre as
        itself.
    radius
        The linf radii are its multiples, from none to `radii` of it.
    radii
        How many there are besides zero.
    step
        How far a step moves every pixel.
    steps
        Steps within every radius.
    """

    network: SelfSupervised
    auxiliary: Auxiliary = "reconstruction"
    radius: float = 4 / 255
    radii: int = 10
    step: float = 4 / 255
    steps: int = 5

    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if self.auxiliary not in LOSSES:
            msg = f"SOAP.auxiliary must be one of {tuple(LOSSES)}; got {self.auxiliary!r}."
            raise ValueError(msg)
        check_positive(self, "radius", "step")
        check_counts(self, "radii", "steps")

    @property
    def declaration(self) -> Declaration:
        return Declaration("soap", self.network.checkpoint)

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> ImageMap:
        del noise
        self.network.check(image_shape)
        answer = self.network.answer()

        def counted(head: Head, images: Tensor) -> Tensor:
            evaluated(len(images))
            return answer(head, images)

        return partial(self._purified, partial(LOSSES[self.auxiliary], counted))

    def _purified(self, losses: Losses, images: Tensor) -> Tensor:
        """Return, of what every radius makes of an image, that with the least loss."""
        count = self.radii + 1
        start = images.repeat(count, 1, 1, 1)
        multiples = torch.arange(count, dtype=images.dtype, device=images.device).repeat_interleave(len(images))
        radius = self.radius * multiples[:, None, None, None]
        moved = start
        for _ in range(self.steps):
            shift = moved + self.step * downhill(losses, moved) - start
            moved = (start + torch.minimum(torch.maximum(shift, -radius), radius)).clamp(0, 1)
        with torch.no_grad():
            best = losses(moved.detach()).unflatten(0, (count, -1)).argmin(0)
        places = best[None, :, None, None, None].expand(1, *images.shape)
        return moved.unflatten(0, (count, -1)).gather(0, places)[0]
