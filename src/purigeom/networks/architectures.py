"""Architectures of classifiers by name, and how images are normalised before each."""

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import TypeAlias

import torch
from torch import Tensor, nn

from purigeom.networks.plain import convolutions, four_convolutions, two_convolutions
from purigeom.networks.residual import STAGES, cifar_resnet, resnet, verified_resnet
from purigeom.networks.tensors import shapes
from purigeom.networks.whitened import whitened
from purigeom.networks.wide_resnet import wide_resnet

Normalisation: TypeAlias = tuple[tuple[float, ...], tuple[float, ...]]
"""Mean and deviation of each channel, or one of each for all."""

_CIFAR_RESNETS = {f"cifar-resnet-{depth}": partial(cifar_resnet, depth) for depth in (20, 32, 44, 56, 110)}
_WIDE_RESNETS = {f"wide-resnet-{d}-{w}": partial(wide_resnet, d, w) for d, w in ((28, 10), (34, 10), (34, 20))}
_RESNETS = {f"resnet-{depth}": partial(resnet, depth) for depth in STAGES}
_VERIFIED = {"resnet2b": partial(verified_resnet, 8, (16,)), "resnet4b": partial(verified_resnet, 16, (32, 32))}

PUBLISHED: Mapping[str, Callable[..., nn.Module]] = {
    **_CIFAR_RESNETS,
    **_WIDE_RESNETS,
    **_RESNETS,
    **_VERIFIED,
    "cnn-a": two_convolutions,
    "magnet-mnist": four_convolutions,
}
"""Networks that were published: nothing but the number of classes is left to say."""
ARCHITECTURES: Mapping[str, Callable[..., nn.Module]] = {
    **PUBLISHED,
    "convolutions": convolutions,
    "cifar-resnet": cifar_resnet,
    "resnet": resnet,
    "verified-resnet": verified_resnet,
    "wide-resnet": wide_resnet,
    "whitened": whitened,
}
"""Those, and the kinds whose settings a folder's config.json says."""

UNCHANGED: Normalisation = ((0.0,), (1.0,))
IMAGENET: Normalisation = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
CIFAR10: Normalisation = ((0.4914, 0.4822, 0.4465), (0.2471, 0.2435, 0.2616))
NORMALISATIONS: Mapping[str, Normalisation] = {
    **dict.fromkeys(_CIFAR_RESNETS, IMAGENET),
    **dict.fromkeys(_WIDE_RESNETS, UNCHANGED),
    **dict.fromkeys(_RESNETS, IMAGENET),
    **dict.fromkeys(_VERIFIED, CIFAR10),
    "magnet-mnist": UNCHANGED,
}
"""What the published weights of an architecture expect; absent where they do not agree."""


def recognised(tensors: Mapping[str, Tensor], who: str) -> str:
    """Return the one published architecture that has exactly these names and shapes."""
    found = [name for name in PUBLISHED if _shapes(name) == shapes(tensors)]
    if len(found) != 1:
        fits = f"tensors that fit {found}" if found else f"{len(tensors)} tensors that fit none exactly"
        msg = f"{who} needs an architecture, one of {sorted(PUBLISHED)}; it holds {fits}. Name it as FILE:ARCHITECTURE."
        raise ValueError(msg)
    return found[0]


@lru_cache
def _shapes(name: str) -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        return shapes(PUBLISHED[name]().state_dict())
