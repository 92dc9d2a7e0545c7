"""What an attacker reads off several purifications of its images: their losses, and how often they fail."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from purigeom.attacks.losses import LossName, climbing, cw
from purigeom.attacks.selection import Draws
from purigeom.defence.checks import check_logits
from purigeom.defence.gradients import Withheld
from purigeom.defence.target import Target
from purigeom.geometry.displacement import per_image


@dataclass(frozen=True)
class Kept:
    """Images, how many of their draws failed, and how far wrong they were on average."""

    images: Tensor
    failures: Tensor
    margin: Tensor

    @classmethod
    def nothing(cls, images: Tensor) -> "Kept":
        """Return the images as if they were worse than any."""
        return cls(images, images.new_full((len(images),), -1), images.new_full((len(images),), -torch.inf))

    def better(self, other: "Kept") -> "Kept":
        """Return, image by image, the one that failed more often, or as often and by more."""
        as_often = other.failures == self.failures
        improved = (other.failures > self.failures) | (as_often & (other.margin > self.margin))
        shaped = per_image(improved, self.images)
        return Kept(
            torch.where(shaped, other.images, self.images),
            torch.where(improved, other.failures, self.failures),
            torch.where(improved, other.margin, self.margin),
        )

    def at(self, places: list[int]) -> "Kept":
        """Return those of some of the images."""
        return Kept(self.images[places], self.failures[places], self.margin[places])

    def replaced(self, places: list[int], other: "Kept") -> "Kept":
        """Return these with others at some places."""
        pairs = [(self.images, other.images), (self.failures, other.failures), (self.margin, other.margin)]
        return Kept(*(whole.index_put((torch.tensor(places, device=whole.device),), part) for whole, part in pairs))


def evaluated(target: Target, images: Tensor, labels: Tensor, name: LossName, query: int) -> tuple[Draws, Kept]:
    """Purify every image by every draw of a query; return losses with their gradients there, and failures.

    A draw whose loss or gradient is no number is left out, and the ledger told.
    """
    with torch.no_grad():
        purified = replace(target, gradient=Withheld()).purified(images, query)
    loss = climbing(name, labels)
    losses, gradients, margins = map(
        torch.stack, zip(*(_differentiated(target, drawn, loss, labels) for drawn in purified), strict=True)
    )
    target.ledger.note(target.image_ids, gradients=1)
    finite = losses.isfinite() & gradients.isfinite().all(2)
    for place in (~finite).any(0).nonzero().flatten().tolist():
        target[[place]].slope(images[[place]], climbing(name, labels[[place]]), query)
    draws = Draws(losses.where(finite, -torch.inf), gradients.where(finite.unsqueeze(2), 0))
    failures = ((margins > 0) & finite).sum(0)
    return draws, Kept(images, failures.to(images), margins.where(finite, 0).mean(0))


@torch.enable_grad()
def _differentiated(
    target: Target, purified: Tensor, loss: Callable[[Tensor], Tensor], labels: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the loss of every image of one draw, its gradient there, and by how much it is wrong."""
    point = purified.detach().requires_grad_()
    logits = target.defence.classifier.load()(point)
    check_logits(logits, target.defence)
    losses = loss(logits)
    (gradient,) = torch.autograd.grad(losses.sum(), point)
    return losses.detach(), gradient.flatten(1), cw(logits.detach(), labels)
