"""From a published file to a network: tensors only, and exactly those that the network has."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from purigeom.networks.diffusion.architecture import Architecture
from purigeom.networks.diffusion.layout import Format, misfit, ours
from purigeom.networks.diffusion.network import Network
from purigeom.networks.files import folder
from purigeom.networks.tensors import SUFFIXES

_ENDINGS = (*SUFFIXES, ".pkl")


class Published(Protocol):
    """A description of a published file: what all of them have."""

    @property
    def checkpoint(self) -> str: ...
    @property
    def architecture(self) -> Architecture: ...


def check_shape(network: Published, image_shape: tuple[int, ...]) -> None:
    """Raise unless the network takes images of this shape."""
    size, channels = network.architecture.size, network.architecture.channels
    if tuple(image_shape) != (channels, size, size):
        msg = (
            f"{_name(network)} takes {channels} channels of size {size}x{size}; got images of shape "
            f"{tuple(image_shape)}. Choose images or a checkpoint that fit."
        )
        raise ValueError(msg)


def path_of(file: str | Path) -> Path:
    """Return where a file of weights lies: at its path, or alone in a checkpoint's folder."""
    path = Path(file).expanduser()
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


def read(description: Published, kind: Format, tensors: Mapping[str, Any]) -> Network:
    """Return the network with copies of a file's tensors."""
    with torch.device("meta"):
        network = Network(description.architecture, kind.style)
    needed = network.state_dict()
    layout = kind.layout(description.architecture, needed)
    faults = misfit(layout, needed, _only_tensors(description, tensors))
    if faults:
        msg = (
            f"{_name(description)} must hold exactly the tensors of its architecture, but {faults}. Give the "
            f"{description.architecture} that it was trained with. {kind.limits}"
        )
        raise ValueError(msg)
    copies = {name: tensor.clone() for name, tensor in ours(layout, tensors).items()}
    network.load_state_dict(copies, assign=True)
    return network


def _only_tensors(description: Published, tensors: Mapping[str, Any]) -> Mapping[str, Tensor]:
    others = [name for name, thing in tensors.items() if not isinstance(thing, Tensor)]
    if others:
        msg = f"{_name(description)} must hold tensors by name; {others[0]!r} is a {type(tensors[others[0]]).__name__}."
        raise TypeError(msg)
    return tensors


def _name(description: Published) -> str:
    return f"{type(description).__name__}({description.checkpoint!r})"
