"""Small defences whose gradients and best attacks are known, and targets of them."""

import torch

from purigeom.defence.defended import Defended
from purigeom.defence.target import Target
from purigeom.noise import Noise
from purigeom.protocols import Batch
from purigeom.purifiers.identity import Identity
from purigeom.purifiers.wrapped import wrap

WEIGHT = torch.randn(3, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
IMAGES = 0.3 + 0.4 * torch.rand(6, 1, 4, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
BATCH = Batch(IMAGES, torch.tensor([0, 1, 2, 0, 1, 2]), (1, 4, 5, 6, 8, 9))
NOISE = Noise(0, BATCH.image_ids)


def linear(images):
    return images.flatten(1) @ WEIGHT.T.to(images)


def two_classes(images):
    margin = images.flatten(1) @ WEIGHT[0].to(images)
    return torch.stack([margin, -margin], 1)


LINEAR = wrap(linear, name="linear")
TWO_CLASSES = wrap(two_classes, name="two classes")


def target_of(batch=BATCH, purifier=None, classifier=LINEAR, seed=0, **settings) -> Target:
    """Return a target of a batch: no purifier and three linear classes unless told."""
    noise = Noise(seed, batch.image_ids)
    defence = Defended(purifier or Identity(), classifier)
    return Target(defence, noise.child("configuration", 0), noise.child("attack", 0), **settings)
