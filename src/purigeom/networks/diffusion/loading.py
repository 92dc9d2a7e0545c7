"""From a published file to a network: tensors only, and exactly those that the network has."""

import zipfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from purigeom.networks.diffusion.architecture import Architecture
from purigeom.networks.diffusion.layout import Format, misfit, ours
from purigeom.networks.diffusion.network import Network
from purigeom.networks.files import folder, frozen, outside_transforms
from purigeom.networks.tensors import SUFFIXES

_ENDINGS = (*SUFFIXES, ".pkl")


class Published(Protocol):
    """A description of a published file: what all of them have."""

    @property
    def checkpoint(self) -> str: ...
    @property
    def architecture(self) -> Architecture: ...

    def built(self, device: torch.device, dtype: torch.dtype) -> nn.Module:
        """Return the noise predictor made from the file."""
        ...


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


def stored(file: str | Path) -> Mapping[str, Any]:
    """Return what a file holds; pickled code in it is never run."""
    path = path_of(file)
    with path.open("rb") as opened:
        if opened.read(64).lstrip().startswith(b"<"):
            msg = f"{path} must hold weights; it is a web page that was saved under their name. Fetch it again."
            raise ValueError(msg)
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except Exception as error:
        msg = (
            f"{path} must hold tensors only, safetensors or torch.load's weights_only; {type(error).__name__}: "
            f"{str(error).splitlines()[0] if str(error) else 'it says no more'}. Pickled code is never run: where the "
            "file is damaged fetch it again, otherwise save the network's state_dict() where you trust it."
        )
        raise ValueError(msg) from error
    if not isinstance(content, Mapping):
        msg = f"{path} must hold tensors by name; it holds a {type(content).__name__}. Save a state_dict()."
        raise TypeError(msg)
    return content


def read(
    description: Published, kind: Format, tensors: Mapping[str, Any], place: tuple[torch.device, torch.dtype]
) -> Network:
    """Return the network with a file's tensors, copied to their place."""
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
    placed = {name: tensor.to(*place, copy=True) for name, tensor in ours(layout, tensors).items()}
    network.load_state_dict(placed, assign=True)
    return network


@lru_cache
def loaded(description: Published, content: str, device: torch.device, dtype: torch.dtype) -> nn.Module:
    """Return a description's module, made once per process and content."""
    del content  # part of the cache's key: new weights under an old name are loaded anew
    return outside_transforms(lambda: frozen(description.built(device, dtype)))


def _only_tensors(description: Published, tensors: Mapping[str, Any]) -> Mapping[str, Tensor]:
    others = [name for name, thing in tensors.items() if not isinstance(thing, Tensor)]
    if others:
        msg = f"{_name(description)} must hold tensors by name; {others[0]!r} is a {type(tensors[others[0]]).__name__}."
        raise TypeError(msg)
    return tensors


def _name(description: Published) -> str:
    return f"{type(description).__name__}({description.checkpoint!r})"
