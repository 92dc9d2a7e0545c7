"""The set an attacked image stays in: the ball around the clean image, and [0, 1]."""

import math

import torch
from torch import Tensor

from purigeom.attacks.adversary import Attack
from purigeom.geometry.displacement import Norm, per_image, rescale
from purigeom.images import checked
from purigeom.noise import Noise
from purigeom.protocols import Batch


def check_radius(attack: object, norm: Norm, radius: float) -> None:
    """Raise unless a radius is a length in units of images in [0, 1]."""
    if not 0 <= radius < math.inf:
        msg = f"{type(attack).__name__} needs a finite radius of at least zero; got {radius!r}."
        raise ValueError(msg)
    if norm == "linf" and radius > 1:
        msg = (
            f"{type(attack).__name__} needs an linf radius within [0, 1], as the pixels are; got {radius!r}. If that "
            f"is in units of 255, write {radius:g} / 255."
        )
        raise ValueError(msg)


def check_question(attack: Attack, batch: Batch, radius: float) -> None:
    """Raise unless an attack is asked about images in [0, 1] and a radius that is a length there."""
    check_radius(attack, attack.norm, radius)
    checked(batch)


def random_start(noise: Noise, images: Tensor, norm: Norm, radius: float) -> Tensor:
    """Return images moved uniformly in the linf ball, or in a random direction to the l2 sphere, kept in [0, 1]."""
    if norm == "linf":
        return project(images + radius * noise.uniform_like(images), images, norm, radius)
    return project(images + rescale(noise.normal_like(images), "l2", radius), images, norm, radius)


def uphill(gradient: Tensor, norm: Norm, length: float) -> Tensor:
    """Return the step of a length that climbs most: along the gradient, for linf along its sign."""
    return rescale(gradient.sign() if norm == "linf" else gradient, norm, length)


def project(images: Tensor, clean: Tensor, norm: Norm, radius: float) -> Tensor:
    """Return the images moved into the ball around the clean ones, then into [0, 1].

    The second move cannot leave the ball: the clean image lies in both sets and both are convex boxes, or,
    for l2, clipping only shortens every pixel's displacement.
    """
    displacement = images - clean
    if norm == "linf":
        return (clean + displacement.clamp(-radius, radius)).clamp(0, 1)
    length = per_image(displacement.flatten(1).norm(dim=1), images)
    return (clean + displacement * (radius / length).nan_to_num(1).clamp(max=1)).clamp(0, 1)


def better(best: Tensor, best_loss: Tensor, images: Tensor, loss: Tensor) -> tuple[Tensor, Tensor]:
    """Return, image by image, which of two has the higher loss, and that loss."""
    improved = loss > best_loss
    return torch.where(per_image(improved, images), images, best), torch.where(improved, loss, best_loss)
