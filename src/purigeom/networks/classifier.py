"""A small convolutional classifier by the name of its checkpoint."""

import json
from dataclasses import dataclass
from functools import lru_cache

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from purigeom.networks.files import digest, folder, frozen, outside_transforms, weights_file
from purigeom.protocols import ImageMap


@dataclass(frozen=True)
class ConvNet:
    """A classifier of small images that purigeom's own scripts train: a folder with config.json and weights."""

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


def convolutions(channels: int, classes: int, width: int, size: int) -> nn.Sequential:
    """Return three convolutions, the second of which halves the image, and a linear layer."""
    return nn.Sequential(
        nn.Conv2d(channels, width, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(width, 2 * width, 3, padding=1, stride=2),
        nn.ReLU(),
        nn.Conv2d(2 * width, 2 * width, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(2 * width * (size // 2) ** 2, classes),
    )


@lru_cache
def _module(checkpoint: str, content: str, device: torch.device, dtype: torch.dtype) -> nn.Module:
    del content  # part of the cache's key: new weights under an old name are loaded anew
    return outside_transforms(lambda: _load(checkpoint).to(device, dtype))


def _load(checkpoint: str) -> nn.Module:
    root = folder(checkpoint)
    try:
        module = convolutions(**json.loads((root / "config.json").read_text()))
        module.load_state_dict(load_file(weights_file(root)))
    except Exception as error:
        msg = (
            f"ConvNet({checkpoint!r}) could not be loaded from {root}: it must hold config.json and safetensors that "
            f"fit each other; {type(error).__name__}: {error}"
        )
        raise ValueError(msg) from error
    return frozen(module)
