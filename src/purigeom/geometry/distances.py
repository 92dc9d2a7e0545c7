"""Distances between two images, one number per image: lp norms, PSNR and SSIM."""

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from purigeom.geometry.company import image_by_image

SSIM_WINDOW = 11
SSIM_SIGMA = 1.5
_SSIM_FLOOR = (0.01**2, 0.03**2)


def lengths(images: Tensor) -> Tensor:
    """Return the Euclidean length of every image."""
    return image_by_image(torch.linalg.vector_norm, images)


def l1(images: Tensor, others: Tensor) -> Tensor:
    """Return the sum of absolute differences."""
    return image_by_image(torch.sum, (images - others).abs())


def l2(images: Tensor, others: Tensor) -> Tensor:
    """Return the Euclidean distance."""
    return lengths(images - others)


def linf(images: Tensor, others: Tensor) -> Tensor:
    """Return the largest absolute difference of a pixel."""
    return (images - others).flatten(1).abs().amax(1)


def psnr(images: Tensor, others: Tensor) -> Tensor:
    """Return the peak signal-to-noise ratio in dB for images of range one; infinite for equal images."""
    return -10 * image_by_image(torch.mean, (images - others).square()).log10()


def ssim(images: Tensor, others: Tensor) -> Tensor:
    """Return the structural similarity for images of range one (Wang et al. 2004).

    Gaussian window of 11 pixels and deviation 1.5, population covariance, averaged over the positions where
    the window fits (no padding) and over channels. Images too small for the window get the largest odd one
    that fits, with the same deviation.
    """
    window = _gaussian_window(images)
    channels = images.shape[1]

    def local_mean(values: Tensor) -> Tensor:
        return image_by_image(lambda one: conv2d(one, window.expand(channels, 1, -1, -1), groups=channels), values)

    mean, other_mean = local_mean(images), local_mean(others)
    variance = local_mean(images.square()) - mean.square()
    other_variance = local_mean(others.square()) - other_mean.square()
    covariance = local_mean(images * others) - mean * other_mean
    luminance_floor, contrast_floor = _SSIM_FLOOR
    luminance = (2 * mean * other_mean + luminance_floor) / (mean**2 + other_mean**2 + luminance_floor)
    structure = (2 * covariance + contrast_floor) / (variance + other_variance + contrast_floor)
    return image_by_image(torch.mean, luminance * structure)


def _gaussian_window(images: Tensor) -> Tensor:
    width = min(SSIM_WINDOW, *images.shape[-2:])
    width -= 1 - width % 2
    offset = torch.arange(width, dtype=images.dtype, device=images.device) - width // 2
    weight = torch.exp(-offset.square() / (2 * SSIM_SIGMA**2))
    weight = weight / weight.sum()
    return torch.outer(weight, weight)
