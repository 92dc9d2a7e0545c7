"""Numbers about two gradients of the same images: how far they agree, image by image."""

import torch
from torch import Tensor

from purigeom.geometry.company import image_by_image


def cosine(one: Tensor, other: Tensor) -> Tensor:
    """Return the cosine between two gradients of every image; NaN where one of them is zero.

    Examples
    --------
    >>> cosine(torch.tensor([[1.0, 0.0], [2.0, 2.0]]), torch.tensor([[0.0, 3.0], [1.0, 1.0]])).round().tolist()
    [0.0, 1.0]
    """
    first, second = (_rows(gradient) / _rows(gradient).norm(dim=1, keepdim=True) for gradient in (one, other))
    return image_by_image(torch.sum, first * second)


def pearson(one: Tensor, other: Tensor) -> Tensor:
    """Return the correlation over pixels between two gradients of every image; NaN where one of them is flat."""
    return cosine(*(rows - image_by_image(torch.mean, rows).unsqueeze(1) for rows in (_rows(one), _rows(other))))


def relative_error(found: Tensor, exact: Tensor) -> Tensor:
    """Return how far a gradient of every image is from the exact one, over that one's length; NaN where it is zero.

    Examples
    --------
    >>> relative_error(torch.tensor([[3.0, 4.0]]), torch.tensor([[4.0, 0.0]])).round(decimals=4).tolist()
    [1.0308]
    """
    gap, length = (_rows(found) - _rows(exact)).norm(dim=1), _rows(exact).norm(dim=1)
    return torch.where(length > 0, gap / length, torch.nan)


def _rows(gradient: Tensor) -> Tensor:
    """Return a gradient per row, in double precision: the squares of tiny ones would be zero in single."""
    return gradient.flatten(1).double()
