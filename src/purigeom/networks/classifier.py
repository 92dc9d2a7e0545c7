"""A classifier by the name of its checkpoint: a folder that says its architecture."""

from dataclasses import dataclass

from torch import nn

from purigeom.networks.architectures import ARCHITECTURES
from purigeom.networks.files import digest, folder, settings, weights_file
from purigeom.networks.modules import logits
from purigeom.networks.tensors import fit, read, refuse_vast
from purigeom.protocols import ImageMap


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
        return logits(_load, self)


def _load(who: ConvNet) -> nn.Module:
    root, name = folder(who.checkpoint), f"ConvNet({who.checkpoint!r})"
    try:
        said, file = settings(root / "config.json"), weights_file(root)
        build = ARCHITECTURES[said.pop("architecture", "convolutions")]
        refuse_vast(lambda: build(**said), file, name)
        return fit(build(**said), read(file), name)
    except Exception as error:
        msg = (
            f"{name} could not be loaded from {root}: it must hold config.json, with an architecture "
            f"of {sorted(ARCHITECTURES)} or none, and safetensors that fit each other; {type(error).__name__}: {error}"
        )
        raise ValueError(msg) from error
