"""Images that a small network learns in seconds: patterns of blocks, the same in a mirror, under a little noise."""

import torch

from purigeom.noise import Noise
from purigeom.protocols import Batch
from purigeom.training.cifar import Data

CLASSES = 4


def patterned(count: int, first: int = 0) -> Batch:
    """Return images whose label is their pattern."""
    ids = tuple(range(first, first + count))
    labels = torch.tensor(ids) % CLASSES
    half = Noise(0, tuple(range(CLASSES)), ("pattern",)).uniform_like(torch.zeros(CLASSES, 3, 4, 2))
    patterns = torch.cat([half, half.flip(-1)], -1).repeat_interleave(8, 2).repeat_interleave(8, 3)
    noise = Noise(0, ids, ("images",)).normal_like(torch.zeros(count, 3, 32, 32))
    return Batch((0.5 + 0.3 * patterns[labels] + 0.1 * noise).clamp(0, 1), labels, ids)


def data(train: int = 256, test: int = 64) -> Data:
    """Return images to learn from, and others to judge by."""
    return Data(patterned(train), patterned(test, first=10_000))
