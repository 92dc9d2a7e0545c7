"""How a description of a network becomes a module: once per process, ready to be measured, whoever asks first."""

from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Protocol, TypeVar

import torch
from torch import Tensor, nn

from purigeom.networks.files import frozen, outside_transforms
from purigeom.protocols import ImageMap


class Described(Hashable, Protocol):
    """A network by its description."""

    def content(self) -> str:
        """Return the digest of what decides its answers."""
        ...


Description = TypeVar("Description", bound=Described)


@lru_cache
def loaded(
    load: Callable[[Description], nn.Module], who: Description, content: str, device: torch.device, dtype: torch.dtype
) -> nn.Module:
    """Return a description's module on a device, loaded once per process and content."""
    del content  # part of the cache's key: new weights under an old name are loaded anew
    # the `to` of diffusers' own modules warns of every type
    return outside_transforms(lambda: frozen(nn.Module.to(load(who), device, dtype)))


def logits(load: Callable[[Description], nn.Module], who: Description) -> ImageMap:
    """Return a classifier's map from images in [0, 1] to logits, on the images' device and in their type."""
    content = who.content()

    def answer(images: Tensor) -> Tensor:
        result: Tensor = loaded(load, who, content, images.device, images.dtype)(images)
        return result

    return answer
