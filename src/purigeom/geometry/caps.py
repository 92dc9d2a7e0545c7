"""Hyperspherical caps: what a flat boundary at a distance cuts off a sphere."""

import torch
from scipy.special import betaincc, betainccinv
from torch import Tensor


def cap_share(distance: Tensor, radius: float, dimensions: int) -> Tensor:
    """Return the share of a sphere that lies beyond a hyperplane at a distance from its centre.

    The squared cosine of a uniformly random direction with a fixed one is Beta(1/2, (dimensions - 1) / 2) distributed
    (Li 2011), so that the share is half a regularised incomplete beta function. A negative distance has the centre
    itself beyond the hyperplane.

    Examples
    --------
    >>> cap_share(torch.tensor([0.0, 0.5, 1.0, -1.0]), radius=1.0, dimensions=3)
    tensor([0.5000, 0.2500, 0.0000, 1.0000])
    """
    _check(radius, dimensions)
    cosine = (distance.double() / radius).clamp(-1, 1).cpu()
    beyond = torch.as_tensor(betaincc(0.5, (dimensions - 1) / 2, cosine.square().numpy())) / 2
    return torch.where(cosine < 0, 1 - beyond, beyond).to(distance)


def cap_distance(share: Tensor, radius: float, dimensions: int) -> Tensor:
    """Return at what distance from the centre a hyperplane cuts off a share of the sphere: the inverse of `cap_share`.

    A share of zero gives the radius, the least of the distances that cut off nothing.

    Examples
    --------
    >>> cap_distance(torch.tensor([0.5, 0.25, 0.0, 1.0]), radius=2.0, dimensions=3)
    tensor([ 0.,  1.,  2., -2.])
    """
    _check(radius, dimensions)
    if not ((share >= 0) & (share <= 1)).all():
        msg = f"cap_distance needs shares between 0 and 1; got {share.min():.4g} to {share.max():.4g}."
        raise ValueError(msg)
    known = share.double().cpu()
    squared = torch.as_tensor(betainccinv(0.5, (dimensions - 1) / 2, (2 * torch.minimum(known, 1 - known)).numpy()))
    return (radius * (0.5 - known).sign() * squared.sqrt()).to(share)


def _check(radius: float, dimensions: int) -> None:
    if not radius > 0 or dimensions < 2:
        msg = f"A sphere with caps needs a radius above zero and 2 dimensions or more; got {radius!r}, {dimensions!r}."
        raise ValueError(msg)
