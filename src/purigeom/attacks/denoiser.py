"""A reconstruction of the diffusion-targeted attack of arXiv 2505.15594, whose recipe is not published.

Established is only that it aims at the denoising itself, in a feature space. The reconstruction, after the related open
code of fsaa: A(x') = argmax over the ball of d(phi(P(x')), phi(P(x))), with P the purifier under one draw of its noise
for both, phi the classifier's logits or other features, and d one minus the cosine or the mean squared difference. It
needs no labels. Numbers reached with it are not the paper's.

There, P is denoised smoothing: attack `OneShot`, or any sampler by the gradient mode `Surrogate(1)`. Every query
purifies the clean images anew under its own draws; the ledger counts that.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal, TypeAlias

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from purigeom.attacks.ascent import hills
from purigeom.attacks.ball import check_question
from purigeom.attacks.beside import carried, in_front, row
from purigeom.attacks.titles import titled
from purigeom.attacks.walk import Walk
from purigeom.defence.defended import Defended
from purigeom.defence.gradients import Exact, Gradient, Withheld
from purigeom.defence.target import Target
from purigeom.geometry.chain import Chain, as_chain
from purigeom.geometry.displacement import Norm
from purigeom.noise import Noise
from purigeom.protocols import Batch, Classifier, ImageMap, RandomMap
from purigeom.settings import check_choices, check_counts, check_lengths

Distance: TypeAlias = Literal["cosine", "mse"]


def cosine(features: Tensor, reference: Tensor) -> Tensor:
    """Return one minus the cosine of the angle between two rows of features."""
    return 1 - cosine_similarity(features, reference, 1)


def mse(features: Tensor, reference: Tensor) -> Tensor:
    """Return the mean squared difference of two rows of features."""
    return (features - reference).square().mean(1)


DISTANCES: dict[Distance, Callable[[Tensor, Tensor], Tensor]] = {"cosine": cosine, "mse": mse}


@dataclass(frozen=True)
class Beside:
    """A purifier whose answer is a row: the purified image, then what the same draw makes of the clean one."""

    purifier: RandomMap
    gradient: Gradient = field(repr=False)
    clean: Batch = field(repr=False)

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> Chain:
        place = {image_id: place for place, image_id in enumerate(self.clean.image_ids)}
        purify = self.gradient.pin(self.purifier, noise, image_shape)
        with torch.no_grad():
            reference = purify(self.clean.images[[place[image_id] for image_id in noise.image_ids]])
        steps = [carried(step, image_shape) for step in as_chain(purify).steps]
        return Chain((lambda images: row(images, reference), *steps))


@dataclass(frozen=True)
class Compared:
    """Features of both images of a row of `Beside`, one after another."""

    features: Classifier
    image_shape: tuple[int, ...]

    def load(self) -> ImageMap:
        featured = self.features.load()

        def both(rows: Tensor) -> Tensor:
            purified, reference = in_front(rows, self.image_shape)
            return row(featured(purified), featured(reference.unflatten(1, self.image_shape)))

        return both


@dataclass(frozen=True)
class DenoiserAttack:
    """Drive the features of the purified image away from those of the purified clean image.

    A reconstruction of arXiv 2505.15594's diffusion-targeted attack, not a reproduction.

    Parameters
    ----------
    steps
        Number of gradients of every restart.
    norm
        The norm of the radius; linf moves along the gradient's sign, l2 along the gradient.
    relative_step
        Length of a step over the radius.
    restarts
        Walks from as many random starts, of which every image keeps the one that ends furthest.
    distance
        What to climb: one minus the cosine, or the mean squared difference, of the features.
    features
        Anything that loads as a map from images to rows of features; the classifier's logits unless given.
    """

    version: ClassVar[int] = 1
    steps: int = 20
    norm: Norm = "linf"
    relative_step: float = 0.5
    restarts: int = 1
    distance: Distance = "cosine"
    features: Classifier | None = None

    def __post_init__(self) -> None:
        check_counts(self, "steps", "restarts")
        check_lengths(self, "relative_step")
        check_choices(self, norm=Norm, distance=Distance)

    @property
    def label(self) -> str:
        return titled(self, f"denoiser attack (reconstruction) {self.distance}-{self.steps}", "distance", "steps")

    def __call__(self, target: Target, batch: Batch, noise: Noise, radius: float) -> Tensor:
        check_question(self, batch, radius)
        seen, queries = self._seen(target, batch), self.steps + 1
        climbs = hills(seen, self._loss, self.restarts, queries)
        found = Walk(self.steps, self.norm, radius, self.relative_step).highest(climbs, batch.images, noise)
        draws = target.knowledge.draws(target.configuration, target.attacker, 0)
        target.ledger.note(target.image_ids, purifications=self.restarts * queries * len(draws))  # of clean images
        return found

    def _loss(self, features: Tensor) -> Tensor:
        return DISTANCES[self.distance](*features.tensor_split(2, 1))

    def _seen(self, target: Target, batch: Batch) -> Target:
        """Return the target that answers the features of an image and of the clean one, under the same draws."""
        if target.gradient == Withheld():
            msg = (
                "DenoiserAttack climbs a gradient, which Withheld() gives none of. Take Exact(), BPDA() or Surrogate()."
            )
            raise ValueError(msg)
        if not target.knowledge.draws(target.configuration, target.attacker, 0):
            msg = f"DenoiserAttack aims at the purifier, which an attacker with {target.knowledge} does not see."
            raise ValueError(msg)
        shape, defence = tuple(batch.images.shape[1:]), target.defence
        beside = Beside(defence.purifier, target.gradient, batch)
        compared = Compared(self.features or defence.classifier, shape)
        return replace(target, defence=Defended(beside, compared), gradient=Exact())
