"""Means over images with their Monte-Carlo standard errors."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

SAMPLED = ("image", "draw", "probe", "judgement")
"""The dimensions along which facts are samples; every other dimension is a setting."""


def estimate(facts: xr.DataArray, over: Sequence[str] = SAMPLED) -> xr.Dataset:
    """Return the `mean` over the sampled dimensions, its `standard_error` and the `count` of images behind it.

    Draws and probes of one image are not independent of each other: each image is averaged first, and the
    standard error is that of the mean of those image means, sd / sqrt(count). It is NaN for a single image.
    NaN facts are left out, and so is an image that has no others.

    Parameters
    ----------
    facts
        Numbers or booleans, one per image and whatever else.
    over
        The dimensions to average; those that the facts lack are skipped, but `image` must be there.

    Examples
    --------
    >>> survived = xr.DataArray([[True, True], [True, False], [False, False]], dims=("image", "draw"))
    >>> answer = estimate(survived)
    >>> float(answer["mean"]), round(float(answer["standard_error"]), 4), int(answer["count"])
    (0.5, 0.2887, 3)
    """
    if "image" not in over or "image" not in facts.dims:
        msg = (
            f"estimate needs one fact per image, averaged over 'image': got {facts.name or 'unnamed facts'} "
            f"with dimensions {facts.dims}, over={tuple(over)}."
        )
        raise ValueError(msg)
    samples = [name for name in facts.dims if name in over and name != "image"]
    per_image = facts.astype(float).mean(samples, skipna=True)
    count = per_image.count("image")
    with np.errstate(invalid="ignore"):  # the spread of infinite facts, such as PSNR of equal images, is NaN
        spread = per_image.std("image", ddof=1, skipna=True)
    error = spread / np.sqrt(count.where(count > 1))
    return xr.Dataset({"mean": per_image.mean("image", skipna=True), "standard_error": error, "count": count})


def estimates(results: xr.Dataset) -> xr.Dataset:
    """Return every numeric variable that has an `image` as its mean and as `NAME_standard_error`.

    Variables without an image, or that are not numbers, are left out.

    Examples
    --------
    >>> results = xr.Dataset({"stretch": ("image", [0.2, 0.4]), "depth": 10})
    >>> {name: round(float(value), 3) for name, value in estimates(results).items()}
    {'stretch': 0.3, 'stretch_standard_error': 0.1}
    """
    answer = xr.Dataset(attrs=results.attrs)
    for name, facts in results.data_vars.items():
        if "image" in facts.dims and facts.dtype.kind in "biuf":
            one = estimate(facts)
            answer[name] = one["mean"].assign_attrs(facts.attrs)
            answer[f"{name}_standard_error"] = one["standard_error"]
    return answer
