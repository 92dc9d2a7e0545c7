"""A classifier by the name of its checkpoint: a folder that says its architecture."""

import json
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor, nn

from purigeom.networks.architectures import ARCHITECTURES
from purigeom.networks.files import digest, folder, frozen, outside_transforms, weights_file
from purigeom.networks.plain import convolutions
from purigeom.networks.tensors import fit, read
from purigeom.protocols import ImageMap

__all__ = ["ConvNet", "convolutions"]


@dataclass(frozen=True)
class ConvNet:
    """A classifier of small images that purigeom's own scripts train: a folder with config.json and weights.

    config.json may say its `architecture`, a name in `purigeom.networks.architectures.ARCHITECTURES`, three
    convolutions unless it does; the rest of it are the architecture's settings. Half floats are loaded as floats.
    """

    checkpoint: str

    def content(self) -> str:
        """Return the digest of the weights and the architecture."""
        root = folder(self.checkpoint)
        return digest([weights_file(root), root / "config.json"])

    def load(self) -> ImageMap:
        """Return the map from images in [0, 1] to logits, on the images' device and in their type."""
        content = self.content()

        def logits(images: Tensor) -> Tensor:
            result: Tensor = _module(self.checkpoint, content, images.device, images.dtype)(images)
            return result

        return logits


@lru_cache
def _module(checkpoint: str, content: str, device: torch.device, dtype: torch.dtype) -> nn.Module:
    del content  # part of the cache's key: new weights under an old name are loaded anew
    return outside_transforms(lambda: _load(checkpoint).to(device, dtype))


def _load(checkpoint: str) -> nn.Module:
    root = folder(checkpoint)
    try:
        settings = json.loads((root / "config.json").read_text())
        build = ARCHITECTURES[settings.pop("architecture", "convolutions")]
        module = fit(build(**settings), read(weights_file(root)), f"ConvNet({checkpoint!r})")
    except Exception as error:
        msg = (
            f"ConvNet({checkpoint!r}) could not be loaded from {root}: it must hold config.json, with an architecture "
            f"of {sorted(ARCHITECTURES)} or none, and safetensors that fit each other; {type(error).__name__}: {error}"
        )
        raise ValueError(msg) from error
    return frozen(module)
