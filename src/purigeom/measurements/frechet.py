"""Fréchet distances between clean and purified images, from stored features."""

import numpy as np
import numpy.typing as npt
import torch
import xarray as xr

from purigeom.geometry.frechet import frechet_distance
from purigeom.schema import CLEAN_FEATURE, PURIFIED_FEATURE

Array = npt.NDArray[np.float64]


def frechet_distances(results: xr.Dataset, resamples: int = 200, seed: int = 0) -> xr.Dataset:
    """Return the Fréchet distance of every purifier and extractor, and its standard error.

    Each draw's purified images are compared with the same images clean, so that a map that changes nothing is at zero;
    distances are averaged over draws. The `standard_error` is the deviation of the distance over `resamples` bootstrap
    samples of the images, clean and purified together. `count` is the number of images. Distances of few images are
    too large, by an amount that falls as one over their number: compare purifiers on the same images only.

    Parameters
    ----------
    results
        What `Features` found, or a store that holds it; a purifier that lacks it gets NaN.
    resamples
        Number of bootstrap samples.
    seed
        Seed of the bootstrap, the same for every purifier.
    """
    missing = {CLEAN_FEATURE.name, PURIFIED_FEATURE.name} - set(results)
    if missing:
        msg = f"A Fréchet distance needs {sorted(missing)}, which these results lack. Measure features."
        raise KeyError(msg)
    distance, error, count = xr.apply_ufunc(
        _distance,
        results[CLEAN_FEATURE.name],
        results[PURIFIED_FEATURE.name],
        input_core_dims=[["image", "feature"], ["draw", "image", "feature"]],
        output_core_dims=[[], [], []],
        vectorize=True,
        kwargs={"resamples": resamples, "seed": seed},
    )
    return xr.Dataset({"frechet_distance": distance, "standard_error": error, "count": count})


def _distance(clean: Array, purified: Array, resamples: int, seed: int) -> tuple[float, float, int]:
    """Return the mean distance over draws, its standard error and the number of images that have all features."""
    features = np.isfinite(clean).any(0)
    draws = np.isfinite(purified).any((1, 2))
    if not features.any() or not draws.any():
        return np.nan, np.nan, 0
    clean, purified = clean[:, features], purified[draws][:, :, features]
    whole = np.isfinite(clean).all(1) & np.isfinite(purified).all((0, 2))
    clean, purified = clean[whole], purified[:, whole]
    rows = np.random.default_rng(seed).integers(len(clean), size=(resamples, len(clean)))
    sampled = [_mean_distance(clean[chosen], purified[:, chosen]) for chosen in rows]
    return _mean_distance(clean, purified), float(np.std(sampled, ddof=1)), len(clean)


def _mean_distance(clean: Array, purified: Array) -> float:
    reference = torch.from_numpy(clean)
    return float(np.mean([frechet_distance(torch.from_numpy(drawn), reference).item() for drawn in purified]))
