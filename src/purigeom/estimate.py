"""Means over images with their Monte-Carlo standard errors."""

from collections.abc import Hashable, Iterable

import numpy as np
import xarray as xr

SAMPLED = ("image", "draw", "probe")
"""The dimensions along which facts are samples; every other dimension is a setting."""


def estimate(facts: xr.DataArray, over: Iterable[Hashable] = SAMPLED) -> xr.Dataset:
    """Return the mean over the sampled dimensions, its standard error and the count of images behind it.

    Draws and probes of one image are not independent of each other: each image is averaged first, and the
    standard error is that of the mean of those image means, sd / sqrt(count). It is NaN for a single image.
    Facts that are NaN are left out; an image without any other fact is not counted.

    Parameters
    ----------
    facts
        Numbers or booleans, one per image and whatever else.
    over
        The dimensions to average; those that the facts lack are skipped, `image` must be among them.

    Examples
    --------
    >>> survived = xr.DataArray([[True, True], [True, False], [False, False]], dims=("image", "draw"))
    >>> estimate(survived).map(lambda number: number.round(3)).to_dataframe().iloc[0].to_dict()
    """
    over = set(over)
    if "image" not in over or "image" not in facts.dims:
        msg = (
            f"estimate needs facts per image, averaged over 'image'; got dimensions {facts.dims} of "
            f"{facts.name or 'unnamed facts'} and over={sorted(map(str, over))}."
        )
        raise ValueError(msg)
    within = [name for name in facts.dims if name in over and name != "image"]
    per_image = facts.astype(float).mean(within, skipna=True) if within else facts.astype(float)
    return xr.Dataset(_moments(per_image))
