"""The anti-adversary: a step towards what the classifier already believes."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from purigeom.cost import evaluated
from purigeom.noise import Noise
from purigeom.protocols import Classifier, Declaration, ImageMap
from purigeom.purifiers.coupled.descent import downhill
from purigeom.settings import check_counts, check_positive


@dataclass(frozen=True)
class AntiAdversary:
    """Move an image, by signs of gradients, to where the classifier is surer of its own answer (Alfarra et al. 2022).

    The shift is constant in pieces, so that the Jacobian is the identity almost everywhere: no small ball is compressed
    unless the border between two answers runs through it. There is no randomness, and no clipping. Signs are those of
    the cross-entropy's slope, as in the paper; the published code loses them in float32 where the classifier is sure.

    Parameters
    ----------
    classifier
        Whose answer is strengthened: usually the one behind the purifier.
    steps
        How many there are.
    step
        How far each moves every pixel, where white is one. Published is 0.15 in the units that the classifier's
        layers see: those of pixels for the CIFAR-10 networks, which normalise nothing; for one that divides images by a
        deviation of 0.25 the same is 0.0375 here.
    """

    classifier: Classifier
    steps: int = 2
    step: float = 0.15

    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        check_counts(self, "steps")
        check_positive(self, "step")

    @property
    def declaration(self) -> Declaration:
        """Return what the map promises; its network is the classifier."""
        network = getattr(self.classifier, "checkpoint", repr(self.classifier))
        return Declaration("anti-adversary", network, range="unbounded")

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> ImageMap:
        del noise
        classify = self.classifier.load()
        self._check(classify, image_shape)

        def logits(images: Tensor) -> Tensor:
            evaluated(len(images))
            return classify(images)

        def purify(images: Tensor) -> Tensor:
            believed = logits(images.detach()).argmax(1)
            moved = images
            for _ in range(self.steps):
                moved = moved + self.step * downhill(lambda asked: doubt(logits(asked), believed), moved)
            return moved

        return purify

    @torch.no_grad()
    def _check(self, classify: ImageMap, image_shape: tuple[int, ...]) -> None:
        """Raise unless the classifier takes images of this shape, on one that is black."""
        try:
            classify(torch.zeros(1, *image_shape))
        except RuntimeError as error:
            msg = (
                f"AntiAdversary needs images that {self.classifier!r} takes; got images of shape {tuple(image_shape)}: "
                f"{error} Choose images or a classifier that fit."
            )
            raise ValueError(msg) from error


def doubt(logits: Tensor, believed: Tensor) -> Tensor:
    """Return log((1 - p) / p) of every image's believed class.

    The cross-entropy is softplus of it: both fall along the same signs, but where the classifier is sure the slope of
    the cross-entropy, 1 - p, is lost in rounding.
    """
    mine = one_hot(believed, logits.shape[1]).bool()
    right = logits.gather(1, believed.unsqueeze(1)).squeeze(1)
    return torch.logsumexp(logits.masked_fill(mine, -torch.inf), 1) - right
