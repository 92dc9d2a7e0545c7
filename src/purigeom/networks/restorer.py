"""Networks that return an image for an image, each a folder with its settings and its weights."""

import json
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import torch
from torch import nn

from purigeom.networks.files import digest, folder, weights_file
from purigeom.networks.tensors import fit, read


class Named(Protocol):
    """A network by the name of its checkpoint."""

    @property
    def checkpoint(self) -> str:
        """Return the name of the folder with config.json and weights, or its path."""
        ...


@runtime_checkable
class Restorer(Named, Protocol):
    """A network from images in [0, 1] to images of the same shape, by the name of its checkpoint."""

    @property
    def family(self) -> str:
        """Return the kind of network, by which studies group."""
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


def content(who: Named) -> str:
    """Return the digest of a network's weights and architecture."""
    root = folder(who.checkpoint)
    return digest([weights_file(root), root / "config.json"])


def settings(who: Named) -> dict[str, Any]:
    """Return the arguments that a network was built with."""
    file = folder(who.checkpoint) / "config.json"
    if not file.is_file():
        msg = f"{_said(who)} must hold config.json, the settings of its network; there is no {file}."
        raise FileNotFoundError(msg)
    try:
        found: dict[str, Any] = json.loads(file.read_text())
    except ValueError as error:
        msg = f"{file} must be JSON; it is damaged: {error}. Fetch or train the checkpoint again."
        raise ValueError(msg) from error
    return found


def check_shape(who: Named, image_shape: tuple[int, ...]) -> None:
    """Raise unless a network was trained for images of this shape."""
    config = settings(who)
    needed = (config["channels"], config["size"], config["size"])
    if tuple(image_shape) != needed:
        msg = (
            f"{_said(who)} takes images of shape {needed}; got {tuple(image_shape)}. Choose images or a checkpoint "
            "that fit."
        )
        raise ValueError(msg)


def fitted(build: Callable[..., nn.Module], who: Named) -> nn.Module:
    """Return the network that the settings ask for, with the weights of the checkpoint in it."""
    config = settings(who)
    try:
        network = build(**config)
    except TypeError as error:
        msg = f"{_said(who)} must hold the settings of `{build.__name__}`; it holds {config}: {error}."
        raise ValueError(msg) from error
    return fit(network, read(weights_file(folder(who.checkpoint))), _said(who))


def _said(who: Named) -> str:
    return f"{type(who).__name__}({who.checkpoint!r})"
