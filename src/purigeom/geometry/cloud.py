"""What shape a cloud of points has around every image: its principal variances, and how many share them."""

import torch
from torch import Tensor


def principal_shares(points: Tensor) -> Tensor:
    """Return the shares of variance along principal directions, largest first: (image, mode) of (point, *images).

    There are as many modes as pixels, or one less than there are points. Points that all coincide give NaN.

    Examples
    --------
    >>> points = torch.tensor([[[3.0, 0.0]], [[-3.0, 0.0]], [[0.0, 1.0]], [[0.0, -1.0]]])
    >>> principal_shares(points).round(decimals=4).tolist()
    [[0.9, 0.1]]
    """
    rows = points.flatten(2).transpose(0, 1).double().contiguous()
    apart = rows - rows[:, :1]  # exactly zero where points coincide
    centred = apart - apart.mean(1, keepdim=True)
    variances = torch.linalg.svdvals(centred)[:, : len(points) - 1].square()
    return variances / variances.sum(1, keepdim=True)


def participation(variances: Tensor) -> Tensor:
    """Return (sum s)^2 / sum s^2 over the last dimension: how many of the variances matter.

    Examples
    --------
    >>> participation(torch.tensor([[1.0, 1.0, 0.0, 0.0], [3.0, 1.0, 0.0, 0.0]])).tolist()
    [2.0, 1.600000023841858]
    """
    return variances.sum(-1).square() / variances.square().sum(-1)
