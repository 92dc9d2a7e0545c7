"""The structural similarity of two images (Wang et al. 2004), and its slope in closed form."""

import torch
from torch import Tensor
from torch.nn.functional import conv2d

_WIDTH = 11
_DEVIATION = 1.5
_LUMINANCE, _CONTRAST = 0.01**2, 0.03**2
"""Stabilisers for a data range of one, which GDMP keeps for images in [-1, 1]."""


def similarity(images: Tensor, reference: Tensor) -> Tensor:
    """Return the mean structural similarity, one number per image; beyond its edges an image is zero."""
    luminance, contrast = _factors(images, reference)
    return (luminance[0] * contrast[0] / (luminance[1] * contrast[1])).flatten(1).mean(1)


def similarity_slope(images: Tensor, reference: Tensor) -> Tensor:
    """Return the gradient of `similarity` with respect to the images.

    With local means m, n and the moments' slopes p, q, r with respect to m, the variance and the covariance, it is
    G(p - 2 m q - n r) + 2 x G(q) + y G(r), where G is the window's own, symmetric average.
    """
    mean, other = _averaged(images), _averaged(reference)
    (above, below), (shared, spread) = _factors(images, reference)
    value = above * shared / (below * spread)
    by_mean = value * (2 * other / above - 2 * mean / below)
    by_variance = -value / spread
    by_covariance = 2 * above / (below * spread)
    slope = _averaged(by_mean - 2 * mean * by_variance - other * by_covariance)
    slope = slope + 2 * images * _averaged(by_variance) + reference * _averaged(by_covariance)
    return slope / images[0].numel()


def _factors(images: Tensor, reference: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Return numerator and denominator of the luminance's likeness, then of the contrast's and structure's."""
    mean, other = _averaged(images), _averaged(reference)
    variance = _averaged(images.square()) - mean.square()
    other_variance = _averaged(reference.square()) - other.square()
    covariance = _averaged(images * reference) - mean * other
    luminance = (2 * mean * other + _LUMINANCE, mean.square() + other.square() + _LUMINANCE)
    return luminance, (2 * covariance + _CONTRAST, variance + other_variance + _CONTRAST)


def _averaged(images: Tensor) -> Tensor:
    """Average every channel under a Gaussian window."""
    offset = torch.arange(_WIDTH, dtype=torch.float64) - _WIDTH // 2
    weight = torch.exp(-(offset / _DEVIATION).square() / 2)
    window = torch.outer(weight, weight) / weight.sum().square()
    channels = images.shape[1]
    kernel = window.to(images).expand(channels, 1, -1, -1)
    return conv2d(images, kernel, padding=_WIDTH // 2, groups=channels)
