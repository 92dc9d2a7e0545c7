"""How far two sets of images are apart, by the means and covariances of their features."""

import torch
from torch import Tensor


def frechet_distance(features: Tensor, others: Tensor) -> Tensor:
    """Return |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)) of two sets of features, (image, feature).

    The squared Wasserstein distance of two normal distributions (Dowson and Landau 1982), which Heusel et al. (2017)
    ask of the features of Inception. With C = R^T R the trace of the root is the sum of the singular values of
    R1 R2^T: no covariance is formed and no root taken, so that equal sets are at zero to rounding.

    Examples
    --------
    >>> square = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> round(frechet_distance(square, square + 2).item(), 6)
    8.0
    """
    if features.dim() != 2 or others.dim() != 2 or features.shape[1] != others.shape[1]:
        msg = (
            "frechet_distance needs two tables of the same features, (image, feature); got "
            f"{tuple(features.shape)} and {tuple(others.shape)}."
        )
        raise ValueError(msg)
    (mean, root), (other_mean, other_root) = _moments(features), _moments(others)
    shared = torch.linalg.svdvals(root @ other_root.t()).sum()
    distance = (mean - other_mean).square().sum() + root.square().sum() + other_root.square().sum() - 2 * shared
    return distance.clamp(min=0)


def _moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean of features and a square root R of their covariance R^T R, in double precision."""
    count, size = features.shape
    if count <= size:
        msg = (
            f"frechet_distance needs more images than features, or their covariance is singular and the distance too "
            f"large; got {count} images with {size} features. Give more images, or an extractor of fewer features."
        )
        raise ValueError(msg)
    if not features.isfinite().all():
        msg = "frechet_distance needs finite features; got NaN or infinity. Leave out the images that have them."
        raise ValueError(msg)
    rows = features.double()
    mean = rows.mean(0)
    return mean, torch.linalg.qr(rows - mean, "r").R / (count - 1) ** 0.5
