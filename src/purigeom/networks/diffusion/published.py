"""Networks that others published as one file: tensors only, and exactly those that the network has."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from purigeom.networks.diffusion.architecture import Architecture
from purigeom.networks.diffusion.layout import Format, misfit, ours
from purigeom.networks.diffusion.network import Network
from purigeom.networks.diffusion.schedule import linear_alpha_bars
from purigeom.networks.files import digest, expanded, folder
from purigeom.networks.modules import loaded
from purigeom.networks.tensors import SUFFIXES, stored

_ENDINGS = (*SUFFIXES, ".pkl")


@dataclass(frozen=True, repr=False)
class PublishedNetwork(ABC):
    """A noise predictor in a file: one class for each kind of file says how the network in it is made.

    Parameters
    ----------
    file
        Where the file is, or the name of a checkpoint's folder that holds nothing else; the `repr` shows the last part.
    architecture
        Its sizes.
    """

    file: str | Path
    architecture: Architecture

    def __repr__(self) -> str:
        return f"{self._name}, {self.architecture})"

    @abstractmethod
    def built(self, tensors: Mapping[str, Any]) -> nn.Module:
        """Return the network with what a file of this kind holds."""

    @property
    def checkpoint(self) -> str:
        """Return the file's name, without the folder: where it lies is no part of what it is."""
        return Path(self.file).name

    def content(self) -> str:
        """Return the digest of the file."""
        return digest([_path_of(self.file)])

    def check(self, image_shape: tuple[int, ...]) -> None:
        """Raise unless the network predicts noise for images of this shape."""
        size, channels = self.architecture.size, self.architecture.channels
        if tuple(image_shape) != (channels, size, size):
            msg = (
                f"{self._name}) takes {channels} channels of size {size}x{size}; got images of shape "
                f"{tuple(image_shape)}. Choose images or a checkpoint that fit."
            )
            raise ValueError(msg)

    def alpha_bars(self) -> Tensor:
        """Return the signal level after each time index, in float64."""
        return linear_alpha_bars()

    def module(self, device: torch.device, dtype: torch.dtype) -> nn.Module:
        """Return the network on a device, loaded once per process."""
        return loaded(_load, self, self.content(), device, dtype)

    def network(self, kind: Format, tensors: Mapping[str, Any]) -> Network:
        """Return the network of the architecture with copies of a file's tensors."""
        with torch.device("meta"):
            network = Network(self.architecture, kind.style)
        needed = network.state_dict()
        layout = kind.layout(self.architecture, needed)
        faults = misfit(layout, needed, self._only_tensors(tensors))
        if faults:
            msg = (
                f"{self._name}) must hold exactly the tensors of its architecture, but {faults}. Give the "
                f"{self.architecture} that it was trained with. {kind.limits}"
            )
            raise ValueError(msg)
        copies = {name: tensor.clone() for name, tensor in ours(layout, tensors).items()}
        network.load_state_dict(copies, assign=True)
        return network

    def _only_tensors(self, tensors: Mapping[str, Any]) -> Mapping[str, Tensor]:
        other = next((name for name, thing in tensors.items() if not isinstance(thing, Tensor)), None)
        if other is not None:
            msg = f"{self._name}) must hold tensors by name; {other!r} is a {type(tensors[other]).__name__}."
            raise ValueError(msg)
        return tensors

    @property
    def _name(self) -> str:
        """Return how the `repr` begins, up to the file."""
        return f"{type(self).__name__}({self.checkpoint!r}"


def _load(who: PublishedNetwork) -> nn.Module:
    return who.built(stored(_path_of(who.file)))


def _path_of(file: str | Path) -> Path:
    """Return where a file of weights lies: at its path, or alone in a checkpoint's folder."""
    path = expanded(str(file))
    if path.is_file():
        return path
    if path.suffix in _ENDINGS:
        msg = f"{path} was not found. Give the path of a file of weights, or the name of a folder that holds one."
        raise FileNotFoundError(msg)
    found = sorted(entry for entry in folder(str(file)).iterdir() if entry.suffix in _ENDINGS)
    if len(found) != 1:
        names = [entry.name for entry in found]
        msg = (
            f"{file} must hold one file of weights, {', '.join(_ENDINGS)}; it holds {names}. Give the file's own path."
        )
        raise FileNotFoundError(msg)
    return found[0]
