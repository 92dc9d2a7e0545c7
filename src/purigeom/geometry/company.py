"""Numbers of images that do not depend on their company: kernels round otherwise with other images beside one."""

from collections.abc import Callable

import torch
from torch import Tensor


def image_by_image(reduced: Callable[[Tensor], Tensor], values: Tensor) -> Tensor:
    """Return what a function makes of the numbers of every image, (image, ...), given to it one image after another.

    A kernel that sums over several images at once may add one's numbers in an order that hangs on how many others there
    are, and on how all of them lie in memory. Here an image's numbers lie in one piece, with none beside them.

    Examples
    --------
    >>> image_by_image(torch.mean, torch.tensor([[1.0, 2.0], [3.0, 5.0]])).tolist()
    [1.5, 4.0]
    """
    if not len(values):
        return values.new_zeros(0, *reduced(values.new_zeros(values.shape[1:])).shape)
    return torch.stack([reduced(one.contiguous()) for one in values])


def mean_over_points(values: Tensor) -> Tensor:
    """Return the means over points, (image, ...), of numbers that lie point after point, (point, image, ...).

    Examples
    --------
    >>> mean_over_points(torch.tensor([[1.0, 3.0], [2.0, 5.0]])).tolist()
    [1.5, 4.0]
    """
    return image_by_image(lambda one: one.mean(0), values.transpose(0, 1))


def accompanied(function: Callable[..., Tensor], *batches: Tensor) -> Tensor:
    """Return a function of images, where a single one has itself for company.

    Convolutions and products of matrices take another kernel for one image than for several, which compute every image
    alike.

    Examples
    --------
    >>> accompanied(lambda images: len(images) * images, torch.ones(1, 1)).tolist()
    [[2.0]]
    """
    if len(batches[0]) != 1:
        return function(*batches)
    return function(*(one.expand(2, *one.shape[1:]) for one in batches))[:1]


def multiplied(left: Tensor, right: Tensor) -> Tensor:
    """Return the product of two matrices of every image, (image, row, column)."""
    return accompanied(torch.matmul, left, right)
