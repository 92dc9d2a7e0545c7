"""Networks of purigeom's own scripts by name: a folder that holds their settings and their weights."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from purigeom.networks.files import digest, folder, settings, weights_file
from purigeom.networks.modules import loaded
from purigeom.networks.tensors import fit, read, refuse_vast


@dataclass(frozen=True)
class FolderNetwork(ABC):
    """A network for images of one shape, by the name of its checkpoint: a folder with config.json and safetensors.

    Half floats are loaded as floats. A subclass says how its settings become a network.
    """

    checkpoint: str

    @abstractmethod
    def architecture(self) -> Callable[..., nn.Module]:
        """Return the function that builds the network from its settings; `channels` and `size` are among them."""

    def content(self) -> str:
        """Return the digest of the weights and the architecture."""
        root = folder(self.checkpoint)
        return digest([weights_file(root), root / "config.json"])

    def config(self) -> dict[str, Any]:
        """Return the settings that the network was built with."""
        file = folder(self.checkpoint) / "config.json"
        if not file.is_file():
            msg = f"{self._name} must hold config.json, the settings of its network; there is no {file}."
            raise FileNotFoundError(msg)
        return settings(file)

    def check(self, image_shape: tuple[int, ...]) -> None:
        """Raise unless the network was trained for images of this shape."""
        config = self.config()
        if not {"channels", "size"} <= set(config):
            msg = f"{self._name} must say channels and size in config.json; it says {sorted(config)}."
            raise ValueError(msg)
        needed = (config["channels"], config["size"], config["size"])
        if tuple(image_shape) != needed:
            msg = (
                f"{self._name} takes images of shape {needed}; got {tuple(image_shape)}. Choose images or a checkpoint "
                "that fit."
            )
            raise ValueError(msg)

    def module(self, device: torch.device, dtype: torch.dtype) -> nn.Module:
        """Return the network on a device, loaded once per process."""
        return loaded(_load, self, self.content(), device, dtype)

    def fitted(self) -> nn.Module:
        """Return the network that the settings ask for, with the weights of the checkpoint in it."""
        config, build = self.config(), self.architecture()
        file = weights_file(folder(self.checkpoint))
        try:
            refuse_vast(lambda: build(**config), file, self._name)
            network = build(**config)
        except Exception as error:  # whatever settings of no network make its parts raise
            if isinstance(error, ValueError) and self._name in str(error):
                raise
            msg = f"{self._name} must hold the settings of `{build.__name__}`; it holds {config}: {error}."
            raise ValueError(msg) from error
        return fit(network, read(file), self._name)

    @property
    def _name(self) -> str:
        return f"{type(self).__name__}({self.checkpoint!r})"


def _load(who: FolderNetwork) -> nn.Module:
    return who.fitted()
