"""What purifiers ask of a network that is neither a guess of noise nor a restorer: its name, and what it fits."""

from typing import Protocol

import torch
from torch import nn

from purigeom.networks.restorer import Named


class Trained(Named, Protocol):
    """A network for images of one shape, by the name of its checkpoint; the purifier says what it is asked for."""

    def content(self) -> str:
        """Return the digest of the weights and the architecture."""
        ...

    def check(self, image_shape: tuple[int, ...]) -> None:
        """Raise unless the network was trained for images of this shape."""
        ...

    def module(self, device: torch.device, dtype: torch.dtype) -> nn.Module:
        """Return the network on a device, loaded once per process."""
        ...
