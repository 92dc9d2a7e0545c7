"""Measure as many images as a mean needs, and no more."""

import math
from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.special import stdtrit
from torch import Tensor

from purigeom.images import checked
from purigeom.measurements.compression import Compression
from purigeom.protocols import Batch, ImageSet, RandomMap
from purigeom.sweep import as_batch, measure

BLOCK = 16
"""Images measured at a time, and the fewest an interval rests on."""


@dataclass(frozen=True)
class Mean:
    """A mean over images, half the width of its 95 % interval, and whether that is narrow enough.

    Parameters
    ----------
    value, half_width
        The mean ratio and how far it may be off.
    met
        Whether the half width is within what was asked for; images may have run out before.
    facts
        Everything that was measured on the way.
    """

    value: float
    half_width: float
    met: bool
    facts: xr.Dataset


def compression_within(
    purifier: RandomMap, images: Tensor | Batch | ImageSet, compression: Compression, half_width: float, seed: int = 0
) -> Mean:
    """Measure block after block of images until the mean compression ratio is known to within a half width.

    Looking after every block stops too early more often than too late; the variance is raised by 1 + 4 / n for it,
    as for the norms of Jacobians.
    """
    if not half_width > 0 or len(compression.radii) != 1:
        msg = (
            "compression_within needs a half width above zero and a measurement at one radius; got "
            f"{half_width} and radii {compression.radii}."
        )
        raise ValueError(msg)
    batch = checked(as_batch(images))
    measured: list[xr.Dataset] = []
    for start in range(0, len(batch), BLOCK):
        measured.append(measure(purifier, batch[start : start + BLOCK], [compression], seed=seed))
        mean = _mean(xr.concat(measured, "image", combine_attrs="override"), half_width)
        if mean.met:
            break
    return mean


def _mean(facts: xr.Dataset, half_width: float) -> Mean:
    each = facts["compression_ratio"].mean([dim for dim in facts["compression_ratio"].dims if dim != "image"]).values
    count = len(each)
    if count < 2:
        return Mean(float(each.mean()), math.inf, met=False, facts=facts)
    spread = np.var(each, ddof=1) * (1 + 4 / count)
    reach = float(stdtrit(count - 1, 0.975)) * math.sqrt(spread / count)
    return Mean(float(each.mean()), reach, met=reach <= half_width, facts=facts)
