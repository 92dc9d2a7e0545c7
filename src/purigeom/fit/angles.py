"""The angle asin(sqrt(share)), on which shares of images scatter alike everywhere."""

import numpy as np

from purigeom.fit.points import Floats


def angle(share: np.ndarray) -> Floats:
    """Return the angle of a share.

    Examples
    --------
    >>> share_of(angle(np.array([0.0, 0.3, 1.0]))).round(6).tolist()
    [0.0, 0.3, 1.0]
    """
    found: Floats = np.arcsin(np.sqrt(np.clip(share, 0, 1)))
    return found


def share_of(angles: np.ndarray) -> Floats:
    """Return the share of an angle; angles that no share has count as the nearest that one has."""
    found: Floats = np.sin(np.clip(angles, 0, np.pi / 2)) ** 2
    return found
