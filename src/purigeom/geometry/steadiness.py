"""How alike several displacements of the same image are: correlations over pixels, and a signal-to-noise ratio."""

import torch
from torch import Tensor

from purigeom.geometry.company import image_by_image, mean_over_points, multiplied

FLAT = 4
"""Roundings of a number near one within which the pixels of a displacement count as equal."""


def correlations(displacements: Tensor, others: Tensor) -> Tensor:
    """Return Pearson correlations over pixels, as np.corrcoef does, of all pairs: (image, point, other point).

    Both are displacements of images in [0, 1], (point, *images); a flat one correlates with nothing and gives NaN.

    Examples
    --------
    >>> rows = torch.tensor([[[0.0, 1.0, 2.0]], [[3.0, 2.0, 1.0]]])
    >>> correlations(rows, rows).round().tolist()
    [[[1.0, -1.0], [-1.0, 1.0]]]
    """
    one, other = _standardised(displacements), _standardised(others)
    return multiplied(one, other.mT)


def mean_of_same(pairs: Tensor) -> Tensor:
    """Return per image the mean over pairs of a point with itself, of (image, point, other point)."""
    return image_by_image(lambda one: one.diagonal().mean(), pairs)


def mean_of_different(pairs: Tensor) -> Tensor:
    """Return per image the mean over pairs of different points, of (image, point, other point)."""
    count = pairs.shape[1]
    apart = ~torch.eye(count, dtype=torch.bool, device=pairs.device)
    return image_by_image(lambda one: one[apart].mean(), pairs)


def signal_to_noise(displacements: Tensor) -> Tensor:
    """Return the length of each image's mean displacement over the root-mean-square length of deviations from it.

    With K displacements d, (draw, *images), noise^2 = sum |d - mean|^2 / (K - 1) and signal^2 = |mean|^2 - noise^2 / K,
    or zero where that is negative: what the mean of few owes to noise is taken off. It is a ratio of lengths, not of
    powers; infinite where nothing deviates, NaN where moreover nothing moves.
    """
    rows = displacements.flatten(2).double()
    count, apart = len(rows), rows - rows[0]
    mean = mean_over_points(apart)
    noise = image_by_image(torch.sum, (apart - mean).square().transpose(0, 1)) / (count - 1)
    signal = (image_by_image(torch.sum, (rows[0] + mean).square()) - noise / count).clamp(min=0)
    return (signal / noise).sqrt()


def _standardised(displacements: Tensor) -> Tensor:
    """Return displacements with mean zero and length one, (image, point, pixel); NaN where one is flat."""
    rows = displacements.flatten(2).transpose(0, 1).double().contiguous()
    centred = rows - rows.mean(2, keepdim=True)
    flat = centred.abs().amax(2, keepdim=True) <= FLAT * torch.finfo(displacements.dtype).eps
    return (centred / centred.norm(dim=2, keepdim=True)).masked_fill(flat, torch.nan)
