"""Exact singular values of small images' Jacobians, by pulling the identity back in blocks."""

import torch
from torch import Tensor

from purigeom.geometry.jacobian import Jacobian

PROBES_AT_ONCE = 64


def dense_jacobian(jacobian: Jacobian, probes_at_once: int = PROBES_AT_ONCE) -> Tensor:
    """Return the full matrices, of shape (image, output pixel, input pixel), row by row."""
    images = jacobian.images
    size = images[0].numel()
    rows = []
    for start in range(0, size, probes_at_once):
        width = min(probes_at_once, size - start)
        unit = torch.zeros(width, size, dtype=images.dtype, device=images.device)
        unit.diagonal(start).fill_(1)
        cotangents = unit.reshape(width, 1, *images.shape[1:]).expand(width, *images.shape)
        rows.append(jacobian.pull(cotangents).flatten(2))
    return torch.cat(rows).transpose(0, 1)


def singular_values(jacobian: Jacobian, probes_at_once: int = PROBES_AT_ONCE) -> Tensor:
    """Return all singular values of every image's Jacobian, shape (image, mode), largest first.

    Costs as many backward products as an image has numbers; the decomposition runs in float64.
    """
    values = torch.linalg.svdvals(dense_jacobian(jacobian, probes_at_once).double())
    return values.to(jacobian.images.dtype)
