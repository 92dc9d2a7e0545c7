"""DnCNN (Zhang et al. 2017): a network that predicts the noise in an image, which is then taken away."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from purigeom.networks.folder_network import FolderNetwork


@dataclass(frozen=True)
class DnCNN(FolderNetwork):
    """A residual denoiser by the name of its checkpoint."""

    family: ClassVar[str] = "dncnn"

    def architecture(self) -> Callable[..., nn.Module]:
        return dncnn


def dncnn(channels: int, size: int, depth: int = 17, width: int = 64) -> nn.Module:
    """Return the network: `depth` convolutions of `width` channels, normalised but for the first and the last.

    It takes images of any size; `size` says which it was trained for. Published are 17 layers for one level of noise
    and 20 for unknown ones.
    """
    del size
    if depth < 3:
        msg = f"dncnn needs a depth of at least 3, a first, a last and one between them; got {depth}."
        raise ValueError(msg)
    layers: list[nn.Module] = [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
    for _ in range(depth - 2):
        layers += [nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    return WithoutNoise(nn.Sequential(*layers, nn.Conv2d(width, channels, 3, padding=1)))


class WithoutNoise(nn.Module):
    """Take away what a network thinks is noise."""

    def __init__(self, noise: nn.Module) -> None:
        super().__init__()
        self.noise = noise

    def forward(self, images: Tensor) -> Tensor:
        """Return the images less their noise."""
        predicted: Tensor = self.noise(images)
        return images - predicted
