"""What purifiers ask of a trained network that is no guess of noise: its name, what it fits, and the network itself."""

from typing import Protocol, runtime_checkable

import torch
from torch import nn


class Trained(Protocol):
    """A network for images of one shape, by the name of its checkpoint; the purifier says what it is asked for."""

    @property
    def checkpoint(self) -> str:
        """Return the name of the folder that holds it, or its path."""
        ...

    def content(self) -> str:
        """Return the digest of the weights and the architecture."""
        ...

    def check(self, image_shape: tuple[int, ...]) -> None:
        """Raise unless the network was trained for images of this shape."""
        ...

    def module(self, device: torch.device, dtype: torch.dtype) -> nn.Module:
        """Return the network on a device, loaded once per process."""
        ...


@runtime_checkable
class Restorer(Trained, Protocol):
    """A network from images in [0, 1] to images of the same shape."""

    @property
    def family(self) -> str:
        """Return the kind of network, by which studies group."""
        ...
