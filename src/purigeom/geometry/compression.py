"""How much a map shortens distances between nearby images."""

from torch import Tensor

from purigeom.geometry.distances import l2, lengths
from purigeom.protocols import ImageMap


def compression_ratio(image_map: ImageMap, images: Tensor, displacement: Tensor) -> Tensor:
    """Return |f(x + d) - f(x)| / |d| per image: below one, the map compresses.

    Examples
    --------
    >>> import torch
    >>> compression_ratio(lambda x: 0.5 * x, torch.zeros(1, 3, 2, 2), torch.ones(1, 3, 2, 2))
    tensor([0.5000])
    """
    return stretch(image_map(images), image_map(images + displacement), displacement)


def stretch(anchors: Tensor, moved: Tensor, displacement: Tensor) -> Tensor:
    """Return how long the purified displacement is over the displacement; a zero displacement gives NaN."""
    return l2(moved, anchors) / lengths(displacement)
