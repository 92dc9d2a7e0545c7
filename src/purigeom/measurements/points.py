"""Several points around every image, and what configurations make of them."""

from collections.abc import Sequence

import torch
from torch import Tensor

from purigeom.contract import Checked
from purigeom.geometry.memory import in_parts
from purigeom.noise import Noise, joined
from purigeom.protocols import Displacement, RandomMap

IMAGES_AT_ONCE = 256
"""Few images travel in one batch with several points each, up to this many, to keep the device busy."""


def displacements(noise: Noise, count: int) -> list[Noise]:
    """Return the noise of every point's displacement: the same for every measurement, radius and draw."""
    return [noise.child("displacement", point) for point in range(count)]


def moved(displacement: Displacement, moves: Sequence[Noise], images: Tensor, radius: float, clip: bool) -> Tensor:
    """Return the images moved once by every stream, (point, *images), brought back to [0, 1] where they are clipped."""
    points = torch.stack([images + displacement(move, images, radius) for move in moves])
    return points.clamp(0, 1) if clip else points


def purified_points(purifier: RandomMap, points: Tensor, configurations: Sequence[Noise]) -> Tensor:
    """Return what every point's configuration makes of it, (point, *images), a few points at a time."""
    shape, checked = tuple(points.shape[2:]), Checked(purifier)

    def of_part(part: slice) -> Tensor:
        some = points[part]
        purify = checked.pin(joined(configurations[part]), shape)
        return purify(some.flatten(0, 1)).unflatten(0, some.shape[:2])

    return torch.cat(in_parts(of_part, len(points), max(1, IMAGES_AT_ONCE // points.shape[1])))


def check_points(measurement: object, points: int) -> None:
    """Raise unless there are two points or more, since one has nothing to be compared with."""
    if points < 2:
        msg = f"{type(measurement).__name__}.points must be at least 2, to be compared with each other; got {points}."
        raise ValueError(msg)
