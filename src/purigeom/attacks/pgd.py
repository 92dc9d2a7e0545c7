"""Projected gradient descent (Madry et al. 2018) in the linf and the l2 norm."""

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias, get_args

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from purigeom.geometry.displacement import Norm, rescale
from purigeom.noise import Noise
from purigeom.protocols import Batch, ImageMap

Iterate: TypeAlias = Literal["best", "last"]


@dataclass(frozen=True)
class PGD:
    """Climb the cross-entropy along its gradient, staying within the radius and in [0, 1].

    Parameters
    ----------
    steps
        Number of gradients.
    norm
        The norm of the radius; linf moves along the gradient's sign, l2 along the gradient.
    relative_step
        Length of a step over the radius; the reach of a walk is that times `steps`.
    random_start
        Start uniformly in the linf ball, or at a random direction on the l2 sphere, instead of at the image.
    iterate
        Return the iterate of the highest loss, or the last one as in the original.
    """

    version: ClassVar[int] = 1
    steps: int = 20
    norm: Norm = "linf"
    relative_step: float = 0.5
    random_start: bool = True
    iterate: Iterate = "best"

    def __post_init__(self) -> None:
        if not isinstance(self.steps, int) or self.steps < 1:
            msg = f"PGD.steps must be at least 1; got {self.steps!r}."
            raise ValueError(msg)
        if not self.relative_step > 0:
            msg = f"PGD.relative_step must be above zero; got {self.relative_step!r}."
            raise ValueError(msg)
        for name, options in (("norm", get_args(Norm)), ("iterate", get_args(Iterate))):
            if getattr(self, name) not in options:
                msg = f"PGD.{name} must be one of {options}; got {getattr(self, name)!r}."
                raise ValueError(msg)

    @property
    def label(self) -> str:
        return f"PGD-{self.steps} {self.norm}"

    def __call__(self, logits: ImageMap, batch: Batch, noise: Noise, radius: float) -> Tensor:
        labels = _labels(batch)
        images = batch.images + self._start(noise, batch.images, radius)
        best, best_loss = batch.images, torch.full_like(batch.images[:, 0, 0, 0], -torch.inf)
        images = project(images, batch.images, self.norm, radius)
        for _ in range(self.steps):
            loss, gradient = loss_and_gradient(logits, images, labels)
            best, best_loss = _better(best, best_loss, images, loss)
            direction = gradient.sign() if self.norm == "linf" else gradient
            step = rescale(direction, self.norm, self.relative_step * radius)
            images = project(images + step, batch.images, self.norm, radius)
        if self.iterate == "last":
            return images
        with torch.no_grad():
            return _better(best, best_loss, images, cross_entropy(logits(images), labels, reduction="none"))[0]

    def _start(self, noise: Noise, images: Tensor, radius: float) -> Tensor:
        if not self.random_start:
            return torch.zeros_like(images)
        if self.norm == "linf":
            return radius * noise.child("start").uniform_like(images)
        return rescale(noise.child("start").normal_like(images), "l2", radius)


def project(images: Tensor, clean: Tensor, norm: Norm, radius: float) -> Tensor:
    """Return the images moved into the ball around the clean ones, then into [0, 1].

    The second move cannot leave the ball: the clean image lies in both sets and both are convex boxes, or,
    for l2, clipping only shortens every pixel's displacement.
    """
    displacement = images - clean
    if norm == "linf":
        return (clean + displacement.clamp(-radius, radius)).clamp(0, 1)
    length = displacement.flatten(1).norm(dim=1).reshape(-1, *[1] * (images.dim() - 1))
    return (clean + displacement * (radius / length).nan_to_num(1).clamp(max=1)).clamp(0, 1)


def loss_and_gradient(logits: ImageMap, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return the cross-entropy of every image and its gradient; raise where the map gives none."""
    with torch.enable_grad():
        point = images.detach().requires_grad_()
        loss = cross_entropy(logits(point), labels, reduction="none")
        if not loss.requires_grad:
            msg = "An attack by gradients needs a differentiable defence; this one cut the graph (no_grad or detach)."
            raise ValueError(msg)
        (gradient,) = torch.autograd.grad(loss.sum(), point)
    broken = ~(loss.isfinite() & gradient.flatten(1).isfinite().all(1))
    if broken.any():
        places = broken.nonzero().flatten().tolist()
        msg = f"The defence gives NaN or infinity as loss or gradient for the images at {places[:5]} of the batch."
        raise ValueError(msg)
    return loss.detach(), gradient


def _better(best: Tensor, best_loss: Tensor, images: Tensor, loss: Tensor) -> tuple[Tensor, Tensor]:
    improved = loss > best_loss
    return torch.where(improved[:, None, None, None], images, best), torch.where(improved, loss, best_loss)


def _labels(batch: Batch) -> Tensor:
    if batch.labels is None:
        msg = "An attack needs labels to attack; the batch has none. Give labels beside the images."
        raise ValueError(msg)
    return batch.labels
