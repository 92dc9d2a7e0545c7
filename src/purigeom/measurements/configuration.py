"""The random configurations that all measurements share."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from purigeom.contract import Checked
from purigeom.noise import Noise
from purigeom.protocols import Batch, RandomMap


def configurations(noise: Noise, draws: int) -> Iterator[Noise]:
    """Yield the noise of every draw's configuration: the same for every measurement."""
    for draw in range(draws):
        yield noise.child("configuration", draw)


def purified(purifier: RandomMap, batch: Batch, noise: Noise, draws: int) -> Tensor:
    """Return every image as every configuration purifies it: shape (draw, *images)."""
    shape = tuple(batch.images.shape[1:])
    checked = Checked(purifier)
    return torch.stack([checked.pin(pinned, shape)(batch.images) for pinned in configurations(noise, draws)])


def check_settings(measurement: object, **counts: int) -> None:
    """Raise unless every named count is at least one, and the radii, if there are any to have, are distinct lengths."""
    name = type(measurement).__name__
    for field, count in counts.items():
        if not isinstance(count, int) or count < 1:
            msg = f"{name}.{field} must be a whole number of at least 1; got {count!r}."
            raise ValueError(msg)
    radii = getattr(measurement, "radii", (1.0,))
    if not isinstance(radii, tuple) or not radii or len(set(radii)) != len(radii) or not all(r > 0 for r in radii):
        msg = f"{name}.radii must be a tuple of distinct lengths above zero, such as (0.1, 0.2); got {radii!r}."
        raise ValueError(msg)


def facts(values: Tensor) -> np.ndarray:
    """Return a tensor as the array that is stored."""
    array: np.ndarray = values.detach().cpu().numpy()
    return array
