"""What a curve is fitted to: compression, survival and the number of images, one of each per purifier."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Points:
    """Checked one-dimensional arrays over purifiers."""

    compression: Floats
    survival: Floats
    count: Floats


def checked_points(compression: ArrayLike, survival: ArrayLike, count: ArrayLike, parameters: int) -> Points:
    """Return the three as arrays; raise ValueError where no curve of that many parameters can be fitted."""
    points = aligned_points(compression, survival, count)
    purifiers, settings = len(points.survival), len(np.unique(points.compression))
    if purifiers < parameters + 1:
        msg = (
            f"fit_sigmoid needs at least {parameters + 1} purifiers for {parameters} parameters and their "
            f"uncertainty; got {purifiers}."
        )
        raise ValueError(msg)
    if settings < parameters:
        msg = (
            f"fit_sigmoid needs at least {parameters} different compressions for {parameters} parameters; "
            f"got {settings} among {purifiers} purifiers."
        )
        raise ValueError(msg)
    if np.ptp(points.survival) == 0:
        msg = (
            f"fit_sigmoid needs survival that varies; all {purifiers} purifiers survive at "
            f"{points.survival[0]:g}. Attack at another radius or add purifiers."
        )
        raise ValueError(msg)
    return points


def aligned_points(compression: ArrayLike, survival: ArrayLike, count: ArrayLike) -> Points:
    """Return the three as arrays of equal length; raise ValueError for numbers that no purifier can have."""
    points = Points(*_aligned(compression, survival, count))
    _check_values(points)
    return points


def _aligned(compression: ArrayLike, survival: ArrayLike, count: ArrayLike) -> tuple[Floats, Floats, Floats]:
    places, heights = np.asarray(compression, dtype=float), np.asarray(survival, dtype=float)
    images = np.asarray(count, dtype=float)
    if places.ndim != 1 or heights.shape != places.shape or images.shape not in ((), places.shape):
        msg = (
            "A curve of survival needs one compression, one survival and one count per purifier, or one count for all; "
            f"got shapes {places.shape}, {heights.shape} and {images.shape}."
        )
        raise ValueError(msg)
    return places, heights, np.broadcast_to(images, places.shape)


def _check_values(points: Points) -> None:
    for name in ("compression", "survival", "count"):
        values: Floats = getattr(points, name)
        broken = np.flatnonzero(~np.isfinite(values))
        if broken.size:
            msg = (
                f"A curve of survival needs finite numbers; {name} is {values[broken[0]]} at {broken.tolist()}. "
                "Leave those purifiers out."
            )
            raise ValueError(msg)
    if points.survival.size and not 0 <= points.survival.min() <= points.survival.max() <= 1:
        msg = (
            "A curve of survival needs survival as a fraction in [0, 1]; "
            f"got {points.survival.min():g} to {points.survival.max():g}."
        )
        raise ValueError(msg)
    if points.count.size and points.count.min() <= 0:
        msg = f"A curve of survival needs a positive count of images per purifier; got {points.count.min():g}."
        raise ValueError(msg)
