"""Adaptive denoising purification (Yoon et al. 2021): noise, then a few steps along the score, each of its own size."""

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

import torch
from torch import Tensor

from purigeom.geometry.chain import Chain
from purigeom.networks.diffusion.predictor import rounding
from purigeom.networks.score import Score
from purigeom.noise import Noise
from purigeom.protocols import Declaration, ImageMap
from purigeom.purifiers.diffusion.guided import Guided
from purigeom.settings import check_choices, check_counts, check_sizes

Transform: TypeAlias = Literal["none", "every", "once"]
_SCALE, _SHIFT = 255 / 256, 1 / 512
"""To the middles of 256 bins, in which some networks were shown their images."""


@dataclass(frozen=True)
class ADP:
    """Noise the image; climb the score g by x <- clip(x + a g), until every image's own step a falls to a threshold.

    The step is a = clip(rate * probe / (1 - <g, g'> / <g, g>)) with g' the score after a step of `probe`: where the
    score is that of a Gaussian, a is `rate` times its variance, and every step goes that share of the way to its mean.
    Gradients are those of the unrolled steps. Where pixels or steps are clipped they have kinks, and where an image
    stops a step earlier the map jumps: derivatives say nothing of that.

    The paper decides by averaging the classifier over 10 runs: that is ten draws of this purifier's noise.

    Parameters
    ----------
    network
        The score.
    sigma
        The deviation of the noise, for pixels in [0, 1]. Published: 0.25, and 0.1 for attacks on the
        bare classifier.
    iterations
        Steps at most.
    probe, rate
        As above.
    lowest, highest
        What the step is clipped to.
    threshold
        An image moves while its step is larger.
    transform
        Of the images for the network, x -> 255/256 x + 1/512: "none" for one trained on plain images, "every" for each
        call of one that was not. "once" is the published code: it transforms before the first step only and takes the
        transform back after every one, so that later steps stretch the image. There stopped images are stretched on
        while others of the batch move; here, as for one image alone, they rest.
    """

    version: ClassVar[int] = 1
    network: Score
    sigma: float = 0.25
    iterations: int = 10
    probe: float = 1e-3
    rate: float = 0.05
    lowest: float = 1e-5
    highest: float = 0.1
    threshold: float = 1e-3
    transform: Transform = "none"

    def __post_init__(self) -> None:
        check_counts(self, "iterations")
        check_sizes(self, "sigma", "probe", "rate", "lowest", "highest", "threshold")
        check_choices(self, transform=Transform)
        if not self.probe or not self.lowest <= self.highest:
            msg = (
                f"ADP needs a probe above zero and a lowest step of at most the highest; got "
                f"probe={self.probe}, lowest={self.lowest}, highest={self.highest}."
            )
            raise ValueError(msg)

    @property
    def declaration(self) -> Declaration:
        return Declaration("score", self.network.checkpoint, "unrolled")

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> Chain:
        scores = self.network.scores(image_shape)

        def begin(images: Tensor) -> Tensor:
            noisy = (images + self.sigma * noise.child("noise").normal_like(images)).clamp(0, 1)
            state = _shown(noisy) if self.transform == "once" else noisy
            return torch.cat([state, torch.ones_like(state[:, :1])], 1)

        return Chain((begin, *[Guided(self._step(scores), rounding(self.network))] * self.iterations, _images))

    def _step(self, scores: ImageMap) -> ImageMap:
        """Return one step of images that carry, as another channel, whether they still move."""

        def step(carried: Tensor) -> Tensor:
            state, moves = carried[:, :-1], carried[:, -1:]
            asked = _shown(state) if self.transform == "every" else state
            slope = scores(asked)
            size = self._size(slope, scores(asked + self.probe * slope))
            moves = moves * ~(size <= self.threshold)  # what diverges moves on, and is seen
            moved = asked + size * slope
            moved = (moved if self.transform == "none" else _plain(moved)).clamp(0, 1)
            return torch.cat([torch.where(moves.bool(), moved, state), moves], 1)

        return step

    def _size(self, slope: Tensor, ahead: Tensor) -> Tensor:
        """Return the step of every image, from its score and that a probe ahead; the longest where both are one."""
        squared, change = _inner(slope, slope), _inner(slope, slope - ahead)
        same = change == 0
        size = self.rate * self.probe * squared / torch.where(same, torch.ones_like(change), change)
        return torch.where(same, self.highest, size).clamp(self.lowest, self.highest)


def _inner(one: Tensor, other: Tensor) -> Tensor:
    """Return the inner product of every image."""
    return (one * other).sum((1, 2, 3), keepdim=True)


def _shown(images: Tensor) -> Tensor:
    return _SCALE * images + _SHIFT


def _plain(images: Tensor) -> Tensor:
    return (images - _SHIFT) / _SCALE


def _images(carried: Tensor) -> Tensor:
    return carried[:, :-1].clamp(0, 1)
