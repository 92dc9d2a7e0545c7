"""A score of images that is not told how noisy they are (Yoon et al. 2021), by the name of its checkpoint."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor, nn
from torch.nn.functional import silu

from purigeom.cost import evaluated
from purigeom.networks.folder_network import FolderNetwork
from purigeom.protocols import ImageMap


class Score(Protocol):
    """A direction from every image in [0, 1] to likelier ones."""

    @property
    def checkpoint(self) -> str:
        """Return the name of the network's weights."""
        ...

    def scores(self, image_shape: tuple[int, ...]) -> ImageMap:
        """Return the map from images to scores; raise unless the network was trained for this shape."""
        ...


@dataclass(frozen=True)
class ScoreNetwork(FolderNetwork):
    """A score that was learnt from noise of many deviations and is told none of them.

    As the published network is used, it answers the score times the deviation that it sees: minus the standard noise.
    """

    def architecture(self) -> Callable[..., nn.Module]:
        return score

    def scores(self, image_shape: tuple[int, ...]) -> ImageMap:
        self.check(image_shape)

        def answer(images: Tensor) -> Tensor:
            evaluated(len(images))
            found: Tensor = self.module(images.device, images.dtype)(images)
            return found

        return answer


def score(channels: int, size: int, width: int, blocks: int) -> nn.Sequential:
    """Return the network: residual blocks of `width` channels; it takes any `size`, and is made for one."""
    del size
    inlet, outlet = nn.Conv2d(channels, width, 3, padding=1), nn.Conv2d(width, channels, 3, padding=1)
    return nn.Sequential(inlet, *[Block(width) for _ in range(blocks)], nn.SiLU(), outlet)


class Block(nn.Module):
    """A residual block of two convolutions."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, state: Tensor) -> Tensor:
        """Return the state with what the block makes of it added."""
        change: Tensor = self.second(silu(self.first(silu(state))))
        return state + change
