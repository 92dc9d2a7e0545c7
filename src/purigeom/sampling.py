"""How many images, configurations and probes a mean needs, and how the linear part saves most of the probes."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr

MOST_DRAWS = 16
MOST_PROBES = 64


@dataclass(frozen=True)
class Components:
    """Where a measured ratio's variance comes from: images, configurations within images, probes within these.

    Parameters
    ----------
    mean
        The mean ratio.
    image, draw, probe
        Variances of the three components.
    """

    mean: float
    image: float
    draw: float
    probe: float

    def standard_error(self, images: int, draws: int, probes: int) -> float:
        """Return the standard error of a mean over so many of each."""
        return math.sqrt((self.image + (self.draw + self.probe / probes) / draws) / images)


@dataclass(frozen=True)
class Sampling:
    """How many of each to take, and the purifications that costs: one for each anchor and each probe."""

    images: int
    draws: int
    probes: int

    @property
    def purifications(self) -> int:
        return self.images * self.draws * (1 + self.probes)


def variance_components(ratios: xr.DataArray) -> Components:
    """Split the variance of ratios with dimensions draw, probe and image, at one radius of one displacement.

    The usual moments of a balanced nested design (Searle, Casella and McCulloch 1992); a component that comes out
    negative is zero.
    """
    wanted = ("image", "draw", "probe")
    others = [dim for dim in ratios.dims if dim not in wanted and ratios.sizes[dim] > 1]
    if others or min(ratios.sizes.get(dim, 0) for dim in ("image", "probe")) < 2 or "draw" not in ratios.dims:
        msg = (
            "variance_components needs ratios by draw, by at least two probes and by at least two images, at one "
            f"radius of one displacement of one purifier; got {dict(ratios.sizes)}."
        )
        raise ValueError(msg)
    values = ratios.squeeze([dim for dim in ratios.dims if dim not in wanted], drop=True).transpose(*wanted).values
    _, draws, probes = values.shape
    within = values.var(2, ddof=1).mean()
    between = probes * values.mean(2).var(1, ddof=1).mean() if draws > 1 else within
    across = draws * probes * values.mean((1, 2)).var(ddof=1)
    draw, image = (between - within) / probes, (across - between) / (draws * probes)
    return Components(float(values.mean()), max(0.0, float(image)), max(0.0, float(draw)), float(within))


def planned(components: Components, standard_error: float) -> Sampling:
    """Return the cheapest sampling whose mean has a standard error, or a smaller one.

    Few probes of many images almost always win over many probes of few.

    Examples
    --------
    >>> planned(Components(mean=0.18, image=5.5e-5, draw=9.2e-5, probe=6.7e-4), standard_error=0.001)
    Sampling(images=482, draws=1, probes=2)
    """
    if not standard_error > 0:
        msg = f"planned needs a standard error above zero; got {standard_error}."
        raise ValueError(msg)
    return min(_candidates(components, standard_error), key=lambda sampling: sampling.purifications)


def _candidates(components: Components, standard_error: float) -> Iterator[Sampling]:
    for draws in range(1, MOST_DRAWS + 1):
        for probes in range(1, MOST_PROBES + 1):
            images = math.ceil((components.standard_error(1, draws, probes) / standard_error) ** 2)
            yield Sampling(max(2, images), draws, probes)


def controlled(results: xr.Dataset) -> xr.Dataset:
    """Return each image's mean compression ratio with its linear part as control variate, and the standard error.

    A displacement's linear ratio q = |Jd| / |d| varies from probe to probe almost as the ratio itself does, but its
    mean square is known: |J|_F^2 / D for every displacement that prefers no direction. Subtracting
    (q^2 - |J|_F^2 / D) / (2 |J|_F / sqrt(D)) from each probe's ratio leaves its mean and takes most of its variance.

    Parameters
    ----------
    results
        Facts of `Compression` and `Curvature` with the same settings, and `root_mean_square` of `LeadingSpectrum`
        or `singular_value` of `Spectrum`.
    """
    needed = {"compression_ratio", "linear_ratio"} - set(results)
    if needed or not {"root_mean_square", "singular_value"} & set(results):
        msg = (
            "controlled needs compression_ratio, linear_ratio, and root_mean_square or singular_value, as Compression, "
            f"Curvature, and LeadingSpectrum or Spectrum measure them; got {sorted(map(str, results))}."
        )
        raise ValueError(msg)
    towards = [str(name) for name in results["displacement"].values if str(name).startswith("towards")]
    if towards:
        msg = f"controlled needs displacements that prefer no direction; {towards[0]!r} does."
        raise ValueError(msg)
    norm, norm_error = _root_mean_square(results)
    ratios = results["compression_ratio"] - (results["linear_ratio"] ** 2 - norm**2) / (2 * norm)
    luck = ratios.std("probe", ddof=1) / np.sqrt(ratios.sizes["probe"])
    return xr.Dataset({"compression_ratio": ratios.mean("probe"), "standard_error": np.hypot(luck, norm_error)})


def _root_mean_square(results: xr.Dataset) -> tuple[xr.DataArray, xr.DataArray]:
    """Return |J|_F / sqrt(D) and its standard error, exact where the whole spectrum is there."""
    if "singular_value" in results:
        exact = (results["singular_value"] ** 2).mean("mode") ** 0.5
        return exact, 0 * exact
    norm = results["root_mean_square"]
    return norm, norm * results["root_mean_square_error"] / 2
