"""The random configurations that all measurements share."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from purigeom.contract import Checked
from purigeom.geometry.jacobian import Jacobian
from purigeom.geometry.memory import in_parts
from purigeom.measurements.points import purified_by_parts
from purigeom.noise import Noise
from purigeom.protocols import Batch, RandomMap, declaration
from purigeom.schema import Variable

ZERO_ROUNDINGS = 30
"""Roundings of the largest singular value within which another counts as zero."""
_STILL = "Compression, Distances and Gallery"


def configurations(noise: Noise, draws: int) -> Iterator[Noise]:
    """Yield the noise of every draw's configuration: the same for every measurement."""
    for draw in range(draws):
        yield noise.child("configuration", draw)


def purified(purifier: RandomMap, batch: Batch, noise: Noise, draws: int) -> Tensor:
    """Return every image as every configuration purifies it: shape (draw, *images)."""
    drawn = [purified_by_parts(purifier, batch.images, pinned) for pinned in configurations(noise, draws)]
    return torch.stack(drawn)


def by_draws(
    purifier: RandomMap,
    batch: Batch,
    configurations: Iterable[Noise],
    vectors: int,
    answer: Callable[[Jacobian, Noise], tuple[Tensor, ...]],
) -> list[Tensor]:
    """Ask about the Jacobians of every configuration; return each of the answers with its draws in front."""
    drawn = [by_images(purifier, batch, pinned, vectors, answer) for pinned in configurations]
    return [torch.stack(parts) for parts in zip(*drawn, strict=True)]


def by_images(
    purifier: RandomMap,
    batch: Batch,
    pinned: Noise,
    vectors: int,
    answer: Callable[[Jacobian, Noise], tuple[Tensor, ...]],
) -> tuple[Tensor, ...]:
    """Ask about the Jacobians of as many images at a time as memory allows with so many vectors; join the answers."""
    if batch.images.dtype not in (torch.float32, torch.float64):
        msg = (
            f"Measurements of derivatives compute in float32 or float64; got {batch.images.dtype} images. Convert them "
            "before; a purifier may compute in half precision inside."
        )
        raise ValueError(msg)
    shape = tuple(batch.images.shape[1:])

    def of_part(part: slice) -> tuple[Tensor, ...]:
        Checked(purifier).pin(pinned[part], shape)(batch.images[part])  # names the image of a NaN
        return answer(_jacobian(purifier, batch[part], pinned[part]), pinned[part])

    first = slice(0, 1)
    at_once = _jacobian(purifier, batch[first], pinned[first]).images_at_once(vectors)
    answers = in_parts(of_part, len(batch), at_once)
    return tuple(torch.cat(parts) for parts in zip(*answers, strict=True))


def _jacobian(purifier: RandomMap, batch: Batch, pinned: Noise) -> Jacobian:
    image_map = purifier.pin(pinned, tuple(batch.images.shape[1:]))
    return Jacobian(image_map, batch.images, image_ids=batch.image_ids)


def refuse_without_slope(measurement: object, purifier: RandomMap) -> None:
    """Raise where a question about derivatives is put to a purifier that has none, or none but zero."""
    refuse_piecewise_constant(measurement, purifier)
    refuse_black_box(measurement, purifier)


def refuse_black_box(measurement: object, purifier: RandomMap) -> None:
    """Raise where a question about derivatives is put to a purifier that has none."""
    if declaration(purifier).differentiability == "none":
        msg = (
            f"{type(measurement).__name__} needs derivatives in both directions; {purifier!r} declares "
            f"differentiability 'none'. {_STILL} need none, and Spectrum takes differences instead."
        )
        raise ValueError(msg)


def refuse_piecewise_constant(measurement: object, purifier: RandomMap) -> None:
    """Raise where a question about derivatives is put to a purifier whose derivatives are zero and say nothing."""
    if declaration(purifier).differentiability == "piecewise constant":
        msg = (
            f"{type(measurement).__name__} needs derivatives that say how displacements pass; {purifier!r} declares "
            f"differentiability 'piecewise constant', so that its own are zero. {_STILL} measure finite displacements."
        )
        raise ValueError(msg)


def nonzero(singular_values: Tensor) -> Tensor:
    """Return which of the singular values, (image, mode), are above rounding: vectors of the others are arbitrary."""
    rounding = ZERO_ROUNDINGS * torch.finfo(singular_values.dtype).eps
    return singular_values > rounding * singular_values.amax(1, keepdim=True)


def labelled(
    found: Sequence[tuple[Variable, Tensor]], batch: Batch, draws: int, **coordinates: Iterable[Any]
) -> xr.Dataset:
    """Return tensors as the variables they are, with draws, images, modes and pixels as coordinates."""
    known = {"draw": range(draws), "image": list(batch.image_ids), **coordinates}
    for variable, values in found:
        sizes = dict(zip(variable.dims, values.shape, strict=True))
        known |= {dim: range(size) for dim, size in sizes.items() if dim in ("mode", "pair")}
    return xr.Dataset(
        {variable.name: (variable.dims, facts(values)) for variable, values in found},
        coords={dim: list(known[dim]) for variable, _ in found for dim in variable.dims if dim in known},
    )


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


def slug(words: str) -> str:
    """Return a label's words as part of a measurement's own label.

    Examples
    --------
    >>> slug("PGD-20 linf, eot(4), exact")
    'pgd-20-linf-eot-4-exact'
    """
    return "-".join(re.findall(r"[a-z0-9]+", words.lower()))


def facts(values: Tensor) -> np.ndarray:
    """Return a tensor as the array that is stored."""
    array: np.ndarray = values.detach().cpu().numpy()
    return array
