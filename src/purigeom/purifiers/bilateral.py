"""The bilateral filter: a blur that does not cross edges."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import pad, unfold

from purigeom.noise import Noise
from purigeom.protocols import Declaration, ImageMap
from purigeom.settings import check_positive, check_width


@dataclass(frozen=True)
class BilateralFilter:
    """Average every pixel with neighbours that are near in the image and in colour (Tomasi and Manduchi 1998).

    A pixel at distance d with a colour c away weighs exp(-d^2 / 2 sigma_space^2) exp(-|c|^2 / 2 sigma_colour^2);
    all channels share one weight. Edges are mirrored. Derivatives are exact.

    Parameters
    ----------
    sigma_colour
        Standard deviation of colours that are averaged, where white is one away from black in every channel.
    sigma_space
        Standard deviation of distances, in pixels.
    width
        Pixels from one end of the square window to the other.
    """

    sigma_colour: float = 0.1
    sigma_space: float = 1.5
    width: int = 5

    version: ClassVar[int] = 1
    declaration: ClassVar[Declaration] = Declaration(family="bilateral filter")

    def __post_init__(self) -> None:
        check_positive(self, "sigma_colour", "sigma_space")
        check_width(self, "width")

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> ImageMap:
        del noise
        reach = self.width // 2
        if reach >= min(image_shape[-2:]):
            msg = (
                f"BilateralFilter.width={self.width} mirrors {reach} pixels and needs larger images; got "
                f"{image_shape[-2]} x {image_shape[-1]}. Take a smaller width."
            )
            raise ValueError(msg)

        def purify(images: Tensor) -> Tensor:
            mirrored = pad(images, (reach, reach, reach, reach), mode="reflect")
            windows = unfold(mirrored, self.width).reshape(*images.shape[:2], self.width**2, -1)
            apart = (windows - images.flatten(2).unsqueeze(2)).square().sum(1, keepdim=True)
            weight = self._nearness().to(images) * torch.exp(-apart / (2 * self.sigma_colour**2))
            return ((weight * windows).sum(2) / weight.sum(2)).reshape(images.shape).clamp(0, 1)

        return purify

    def _nearness(self) -> Tensor:
        """Return the weight of every place in the window for its distance alone, as a column."""
        offset = torch.arange(self.width, dtype=torch.float64) - self.width // 2
        weight = torch.exp(-(offset / self.sigma_space).square() / 2)
        return torch.outer(weight, weight).reshape(-1, 1)
