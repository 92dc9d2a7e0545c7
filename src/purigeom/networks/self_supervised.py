"""A classifier with heads that need no labels, which say at test time how natural an image is to it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, interpolate

from purigeom.networks.folder_network import FolderNetwork
from purigeom.protocols import ImageMap

Head: TypeAlias = Literal["classes", "turns", "pixels"]
Answer: TypeAlias = Callable[[Head, Tensor], Tensor]
"""From a head and images to what it says of them."""
Auxiliary: TypeAlias = Literal["reconstruction", "rotation", "consistency"]

TURNS = 4
_MARGIN = 8
"""Of a side, the part that is cut off at either end before two views are compared: 4 of 32 pixels in SOAP's code."""


@dataclass(frozen=True)
class SelfSupervised(FolderNetwork):
    """Features with a head for classes, one for quarter turns and one for pixels, by the name of their checkpoint.

    As a classifier it is the first of its heads.
    """

    def architecture(self) -> Callable[..., nn.Module]:
        return self_supervised

    def load(self) -> ImageMap:
        """Return the map from images in [0, 1] to logits, on the images' device and in their type."""
        return partial(self.answer(), "classes")

    def answer(self) -> Answer:
        """Return what the heads say, on the images' device and in their type."""

        def answer(head: Head, images: Tensor) -> Tensor:
            return said(self.module(images.device, images.dtype), head, images)

        return answer


def self_supervised(channels: int, size: int, width: int, code: int, classes: int) -> nn.ModuleDict:
    """Return the network for images of `size`; pixels are rebuilt from `code` channels of half that size."""
    numbers = 2 * width * (size // 2) ** 2
    features = [nn.Conv2d(channels, width, 3, padding=1), nn.SiLU()]
    features += [nn.Conv2d(width, 2 * width, 3, padding=1, stride=2), nn.SiLU()]
    features += [nn.Conv2d(2 * width, 2 * width, 3, padding=1), nn.SiLU()]
    pixels = [nn.Conv2d(2 * width, code, 3, padding=1), nn.Conv2d(code, width, 3, padding=1), nn.SiLU()]
    pixels += [nn.Upsample(scale_factor=2), nn.Conv2d(width, width, 3, padding=1), nn.SiLU()]
    return nn.ModuleDict(
        {
            "features": nn.Sequential(*features),
            "classes": nn.Sequential(nn.Flatten(), nn.Dropout(0.3), nn.Linear(numbers, classes)),
            "turns": nn.Sequential(nn.Flatten(), nn.Dropout(0.3), nn.Linear(numbers, TURNS)),
            "pixels": nn.Sequential(*pixels, nn.Conv2d(width, channels, 3, padding=1)),
        }
    )


def said(network: nn.Module, head: Head, images: Tensor) -> Tensor:
    """Return what a head of a network says of images."""
    parts = dict(network.named_children())
    answer: Tensor = parts[head](parts["features"](images))
    return answer


def reconstruction(answer: Answer, images: Tensor) -> Tensor:
    """Return how far every image is from what the network rebuilds of it, squared, per pixel."""
    return (answer("pixels", images) - images).square().flatten(1).mean(1)


def rotation(answer: Answer, images: Tensor) -> Tensor:
    """Return how surprised the network is by the quarter turns of every image, on average over all four."""
    turned = torch.cat([images.rot90(turn, (-2, -1)) for turn in range(TURNS)])
    turns = torch.arange(TURNS, device=images.device).repeat_interleave(len(images))
    return cross_entropy(answer("turns", turned), turns, reduction="none").unflatten(0, (TURNS, -1)).mean(0)


def consistency(answer: Answer, images: Tensor) -> Tensor:
    """Return how far the logits of every image are from those of its mirrored and magnified centre, squared."""
    rows, columns = images.shape[-2:]
    down, right = rows // _MARGIN, columns // _MARGIN
    centre = images.flip(-1)[..., down : rows - down, right : columns - right]
    other = interpolate(centre, (rows, columns))
    return (answer("classes", images) - answer("classes", other)).square().mean(1)


LOSSES: Mapping[Auxiliary, Callable[[Answer, Tensor], Tensor]] = {
    "reconstruction": reconstruction,
    "rotation": rotation,
    "consistency": consistency,
}
"""From what a network says of images to one loss per image, without a label."""
