"""Directions in which nearby images differ: an estimate of the data's tangent space."""

import torch
from torch import Tensor


def tangents(images: Tensor, neighbours_from: Tensor, count: int, neighbours: int) -> Tensor:
    """Return the leading principal directions of every image's nearest neighbours (Kambhatla and Leen 1997).

    Parameters
    ----------
    images
        Where to find tangents, (image, ...).
    neighbours_from
        The images to look for neighbours in. Those at distance zero are the image itself, and skipped.
    count
        How many directions to return.
    neighbours
        How many neighbours to find them in; they are centred on their mean, so more than `count` are needed.

    Returns
    -------
    Tensor
        Orthonormal bases of shape (image, column, vector), the direction of largest variance first.
    """
    _check(images, neighbours_from, count, neighbours)
    nearest = _nearest(images.flatten(1).double(), neighbours_from.flatten(1).double(), neighbours)
    _, spread, directions = torch.linalg.svd(nearest - nearest.mean(1, keepdim=True), full_matrices=False)
    flat = spread[:, count - 1] <= 1e-9 * nearest.abs().amax((1, 2))
    if flat.any():
        place = int(flat.nonzero()[0])
        msg = (
            f"The {neighbours} neighbours of the image in place {place} span fewer than {count} directions. "
            "Ask for fewer tangents or more neighbours."
        )
        raise ValueError(msg)
    return directions[:, :count].mT.to(images.dtype)


def _nearest(points: Tensor, candidates: Tensor, neighbours: int) -> Tensor:
    """Return the nearest candidates that are not the point itself, (point, neighbour, column)."""
    # Distances by way of inner products would round: an image would not be at distance zero from itself.
    distances = torch.cdist(points, candidates, compute_mode="donot_use_mm_for_euclid_dist")
    others = distances > 0
    fewest = int(others.sum(1).min())
    if fewest < neighbours:
        msg = f"tangents needs {neighbours} neighbours of every image; got {fewest} other images for one of them."
        raise ValueError(msg)
    chosen = distances.where(others, torch.inf).topk(neighbours, largest=False).indices
    return candidates[chosen]


def _check(images: Tensor, neighbours_from: Tensor, count: int, neighbours: int) -> None:
    if images.shape[1:] != neighbours_from.shape[1:]:
        msg = (
            f"Neighbours must have the shape of the images, {tuple(images.shape[1:])}; "
            f"got {tuple(neighbours_from.shape[1:])}."
        )
        raise ValueError(msg)
    if not 1 <= count < neighbours:
        msg = f"tangents needs a count from 1 to fewer than the neighbours, {neighbours}; got {count}."
        raise ValueError(msg)
