"""A classifier of small colour images that trains in minutes: fixed whitening of patches, then three short stages."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

PATCH = 2
"""Rows and columns of the patches that the first layer whitens."""


class Normalise(nn.Module):
    """Subtract each channel's mean and divide by its deviation."""

    def __init__(self, mean: Sequence[float], deviation: Sequence[float]) -> None:
        super().__init__()
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", torch.tensor(mean).view(-1, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(deviation).view(-1, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return the images in units of deviations."""
        return (images - self.mean) / self.deviation


class Scale(nn.Module):
    """Multiply by a fixed number."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, values: Tensor) -> Tensor:
        """Return the values, scaled."""
        return values * self.factor


def whitened(
    mean: Sequence[float], deviation: Sequence[float], widths: Sequence[int] = (64, 256, 256), classes: int = 10
) -> nn.Sequential:
    """Return the network for images of 32x32: a whitening layer, a stage of two convolutions per width, a linear layer.

    Every stage halves the image; the whitening is set by `whiten` and never trained.
    """
    channels = len(mean)
    patches = 2 * channels * PATCH**2
    whitening = nn.Conv2d(channels, patches, PATCH)
    whitening.weight.requires_grad = False
    stages = zip([patches, *widths[:-1]], widths, strict=True)
    return nn.Sequential(
        Normalise(mean, deviation),
        whitening,
        nn.GELU(),
        *(layer for before, after in stages for layer in _stage(before, after)),
        nn.MaxPool2d(3),
        nn.Flatten(),
        nn.Linear(widths[-1], classes, bias=False),
        Scale(1 / 9),
    )


def _stage(before: int, after: int) -> list[nn.Module]:
    return [
        _convolution(before, after),
        nn.MaxPool2d(2),
        _normalisation(after),
        nn.GELU(),
        _convolution(after, after),
        _normalisation(after),
        nn.GELU(),
    ]


def _convolution(before: int, after: int) -> nn.Conv2d:
    """Return a convolution whose first outputs repeat its inputs, until training changes them."""
    layer = nn.Conv2d(before, after, 3, padding=1, bias=False)
    nn.init.dirac_(layer.weight.data[:before])
    return layer


def _normalisation(channels: int) -> nn.BatchNorm2d:
    """Return a normalisation with a bias but a fixed scale, whose averages follow the last few batches."""
    layer = nn.BatchNorm2d(channels, momentum=0.4)
    layer.weight.requires_grad = False
    return layer


@torch.no_grad()
def whiten(network: nn.Sequential, images: Tensor, smallest: float = 5e-4) -> None:
    """Set the first layer: the principal components of the images' patches, at equal variance, in both signs."""
    patches = nn.functional.unfold(network[0](images), PATCH).transpose(1, 2).flatten(0, 1).double()
    variances, directions = torch.linalg.eigh(patches.T @ patches / len(patches))
    rows = (directions / torch.sqrt(variances + smallest)).T.flip(0).to(images.dtype)
    first = network[1]
    assert isinstance(first, nn.Conv2d)
    first.weight.copy_(torch.cat([rows, -rows]).view_as(first.weight))
