"""The random configurations that all measurements share."""

from collections.abc import Iterator

import numpy as np
from torch import Tensor

from purigeom.noise import Noise


def configurations(noise: Noise, draws: int) -> Iterator[Noise]:
    """Yield the noise of every draw's configuration: the same for every measurement."""
    for draw in range(draws):
        yield noise.child("configuration", draw)


def facts(values: Tensor) -> np.ndarray:
    """Return a tensor as the array that is stored."""
    array: np.ndarray = values.detach().cpu().numpy()
    return array
