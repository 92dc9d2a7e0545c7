"""Defences small enough to know what the best attack on them does."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from purigeom.defence.defended import Defended
from purigeom.defence.gradients import Exact, Gradient
from purigeom.defence.knowledge import Fixed, Knowledge
from purigeom.defence.target import Target
from purigeom.noise import Noise
from purigeom.protocols import Batch, Declaration, ImageMap, RandomMap
from purigeom.purifiers.identity import Identity

WEIGHT = torch.randn(5, 64, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
HIDDEN = torch.randn(24, 64, generator=torch.Generator().manual_seed(2), dtype=torch.float64) / 4
IMAGES = 0.3 + 0.4 * torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
BATCH = Batch(IMAGES, torch.tensor([0, 1, 2, 3, 4, 0]), (1, 4, 5, 6, 8, 9))
TWO = Batch(IMAGES, torch.tensor([0, 1] * 3), BATCH.image_ids)
NOISE = Noise(0, BATCH.image_ids)


@dataclass(frozen=True)
class Model:
    """A classifier that is a function of images."""

    logits: Callable[[Tensor], Tensor] = field(repr=False)

    def load(self) -> ImageMap:
        return self.logits


@dataclass(frozen=True)
class Shaken:
    """Add pinned normal noise."""

    sigma: float = 0.2
    declaration: ClassVar[Declaration] = Declaration("toy", range="unbounded")

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> ImageMap:
        return lambda images: images + self.sigma * noise.normal_like(images)


@dataclass(frozen=True)
class Overheard:
    """Know the configuration, and write down which queries are asked."""

    asked: list[int]
    label: ClassVar[str] = "overheard"
    average: ClassVar[str] = "losses"

    def draws(self, configuration: Noise, attacker: Noise, query: int) -> tuple[Noise, ...]:
        self.asked.append(query)
        return (configuration,)


def two_classes(images):
    margin = images.flatten(1) @ WEIGHT[0].to(images)
    return torch.stack([margin, -margin], 1)


def linear(images):
    return images.flatten(1) @ WEIGHT.T.to(images)


def curved(images):
    return torch.tanh((images.flatten(1) - 0.5) @ HIDDEN.T.to(images)) @ WEIGHT[:, :24].T.to(images)


def target(
    logits: Callable[[Tensor], Tensor] = linear,
    purifier: RandomMap | None = None,
    knowledge: Knowledge | None = None,
    batch: Batch = BATCH,
    gradient: Gradient | None = None,
) -> Target:
    noise = Noise(0, batch.image_ids)
    return Target(
        Defended(purifier or Identity(), Model(logits)),
        noise.child("configuration"),
        noise.child("attacker"),
        knowledge or Fixed(),
        gradient or Exact(),
    )


def losses(logits, images, batch=BATCH):
    return cross_entropy(logits(images), batch.labels, reduction="none")


def fallen_margin(images: Tensor) -> Tensor:
    """Return how far each image's right logit fell against the wrong one, of `two_classes` and `TWO`."""
    return (1 - 2 * TWO.labels) * ((IMAGES - images).flatten(1) @ WEIGHT[0])


def best_fall(norm: str, radius: float) -> Tensor:
    """Return the furthest that margin can fall where clipping to [0, 1] does not interfere."""
    dual = WEIGHT[0].abs().sum() if norm == "linf" else WEIGHT[0].norm()
    return (radius * dual).expand(6)


def assert_in_ball(images: Tensor, norm: str, radius: float) -> None:
    displacement = (images - IMAGES).flatten(1)
    length = displacement.abs().amax(1) if norm == "linf" else displacement.norm(dim=1)
    assert (length <= radius * (1 + 1e-9)).all()
    assert ((images >= 0) & (images <= 1)).all()


def assert_alone_as_among_others(attack, purifier: RandomMap, knowledge: Knowledge) -> None:
    """Attack one image alone, all of them, and all in another order."""
    batch = Batch(IMAGES, curved(IMAGES).argmax(1), BATCH.image_ids)
    together = attack(target(curved, purifier, knowledge), batch, NOISE, 0.1)
    assert not torch.equal(together, IMAGES)
    order = [4, 0, 2, 5, 1, 3]
    turned = Batch(IMAGES[order], batch.labels[order], tuple(batch.image_ids[place] for place in order))
    reordered = attack(target(curved, purifier, knowledge, turned), turned, NOISE[order], 0.1)
    torch.testing.assert_close(reordered, together[order])
    one = batch[2:3]
    alone = attack(target(curved, purifier, knowledge, one), one, NOISE[2:3], 0.1)
    torch.testing.assert_close(alone, together[2:3])
