"""Several points around every image, and what configurations make of them."""

from collections.abc import Sequence

import torch
from torch import Tensor

from purigeom.contract import Checked
from purigeom.geometry.memory import in_parts
from purigeom.noise import Noise, joined
from purigeom.protocols import Displacement, RandomMap

ON_CPU, ON_ACCELERATOR = 2**16, 2**22
"""How many numbers of images travel together: more no longer fit a CPU's caches, fewer leave a GPU idle. Where memory
runs out there, half as many."""


def displacements(noise: Noise, count: int) -> list[Noise]:
    """Return the noise of every point's displacement: the same for every measurement, radius and draw."""
    return [noise.child("displacement", point) for point in range(count)]


def moved(displacement: Displacement, moves: Sequence[Noise], images: Tensor, radius: float, clip: bool) -> Tensor:
    """Return the images moved once by every stream, (point, *images), brought back to [0, 1] where they are clipped."""
    points = torch.stack([images + displacement(move, images, radius) for move in moves])
    return points.clamp(0, 1) if clip else points


def purified_points(purifier: RandomMap, points: Tensor, configurations: Sequence[Noise]) -> Tensor:
    """Return what every point's configuration makes of it, (point, *images)."""
    return purified_by_parts(purifier, points.flatten(0, 1), joined(configurations)).unflatten(0, points.shape[:2])


def purified_by_parts(purifier: RandomMap, images: Tensor, noise: Noise) -> Tensor:
    """Return what a configuration makes of images, as many at a time as suit the device and its memory."""
    shape, checked = tuple(images.shape[1:]), Checked(purifier)
    return torch.cat(in_parts(lambda part: checked.pin(noise[part], shape)(images[part]), len(images), at_once(images)))


def at_once(images: Tensor) -> int:
    """Return how many images of this size travel together."""
    return max(1, (ON_CPU if images.device.type == "cpu" else ON_ACCELERATOR) // images[0].numel())


def check_points(measurement: object, points: int) -> None:
    """Raise unless there are two points or more, since one has nothing to be compared with."""
    if points < 2:
        msg = f"{type(measurement).__name__}.points must be at least 2, to be compared with each other; got {points}."
        raise ValueError(msg)
