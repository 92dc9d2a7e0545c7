"""What networks that ask another network say of themselves: what the other one does."""

from typing import Any

from torch import Tensor

from purigeom.networks.diffusion.predictor import continuous


class Around:
    """A network that computes what another does, in its own way."""

    network: Any

    @property
    def checkpoint(self) -> str:
        """Return the name that all purifiers with the network share, however it computes."""
        name: str = self.network.checkpoint
        return name

    def content(self) -> str:
        """Return the digest of the network's weights."""
        found: str = self.network.content()
        return found

    def check(self, image_shape: tuple[int, ...]) -> None:
        """Raise unless the network is one for images of this shape."""
        self.network.check(image_shape)


class AroundPredictor(Around):
    """A guess of the noise that is another network's."""

    @property
    def continuous(self) -> bool:
        """Return whether time indices between whole ones are the VP-SDE's."""
        return continuous(self.network)

    def alpha_bars(self) -> Tensor:
        """Return the signal level after each time index, in float64."""
        levels: Tensor = self.network.alpha_bars()
        return levels
