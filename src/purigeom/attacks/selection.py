"""Which of several purifications share a weakness: DiffHammer's expectation maximisation, image by image.

Every draw comes with its loss and the gradient of the loss at the purified image. How much a step would raise the loss
is read off the gradient; how likely it would break the draw is the logistic function of `steepness` times that.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, normalize

from purigeom.geometry.displacement import Norm


@dataclass(frozen=True)
class Draws:
    """What an attacker knows of several purifications of every image.

    Attributes
    ----------
    losses
        Of shape (draw, image); minus infinity keeps a draw out.
    gradients
        Of the losses at the purified images, (draw, image, pixel).
    """

    losses: Tensor
    gradients: Tensor


@dataclass(frozen=True)
class Selection:
    """How draws are weighed that a common step would break.

    Parameters
    ----------
    norm
        The norm of the step.
    length
        The length of the step.
    steepness
        How fast the likelihood that a draw breaks grows with its loss.
    iterations
        How often responsibilities and the common step are found from each other.
    """

    norm: Norm
    length: float
    steepness: float
    iterations: int

    def expected(self, draws: Draws, direction: Tensor) -> Tensor:
        """Return every draw's loss after a step along a direction (..., image, pixel), to first order."""
        unit = direction.sign() if self.norm == "linf" else normalize(direction, dim=-1)
        return draws.losses + self.length * torch.einsum("...ip,dip->...di", unit, draws.gradients)

    def representative(self, draws: Draws) -> Tensor:
        """Return the draw whose own step is expected to break the most draws, (image,)."""
        broken = torch.sigmoid(self.steepness * self.expected(draws, draws.gradients)).sum(1)
        return broken.where(draws.losses.isfinite(), -1).argmax(0)

    def responsibilities(self, draws: Draws) -> Tensor:
        """Return every draw's weight, (draw, image), of sum one: how likely the common step breaks it.

        The common step starts as the representative's and is the weighted mean of all gradients from then on.
        """
        places = torch.arange(draws.losses.shape[1], device=draws.losses.device)
        common, weights = draws.gradients[self.representative(draws), places], torch.zeros_like(draws.losses)
        for _ in range(self.iterations):
            likelihood = logsigmoid(self.steepness * self.expected(draws, common))
            weights = likelihood.softmax(0).nan_to_num(0)
            common = mean(draws, weights)
        return weights


def mean(draws: Draws, weights: Tensor) -> Tensor:
    """Return the weighted mean of the gradients, (image, pixel)."""
    return torch.einsum("di,dip->ip", weights, draws.gradients)
