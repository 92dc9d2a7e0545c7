"""What figures ask of results: the facts they need, the samplers they compare, and the shade of a depth."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from purigeom.calibration import sampler
from purigeom.estimate import estimate


def require(results: xr.Dataset, what: str, *names: str) -> None:
    """Raise ValueError unless every variable is there."""
    missing = [name for name in names if name not in results]
    if missing:
        msg = f"{what} needs {missing}, which these results lack. Ask the measurement that stores it."
        raise ValueError(msg)


def by_sampler(results: xr.Dataset, what: str, *names: str) -> dict[str, xr.Dataset]:
    """Return the diffusion purifiers of which anything named is known, by their sampler, shallowest first."""
    known = [results[name].notnull().any([dim for dim in results[name].dims if dim != "purifier"]) for name in names]
    chosen = (results["family"] == "diffusion").values & np.isfinite(results["depth"].values)
    diffusion = results.isel(purifier=chosen & np.any([one.values for one in known], axis=0))
    if not diffusion.sizes["purifier"]:
        msg = f"{what} needs diffusion purifiers; these results hold none."
        raise ValueError(msg)
    samplers = np.array([sampler(recipe) for recipe in diffusion["recipe"].values])
    return {name: diffusion.isel(purifier=samplers == name).sortby("depth") for name in dict.fromkeys(samplers)}


def one_setting(facts: xr.DataArray, what: str, dim: str) -> xr.DataArray:
    """Return facts of the one setting they were measured at; another measurement's settings are NaN here."""
    facts = facts.dropna(dim, how="all")
    if facts.sizes[dim] != 1:
        found = facts[dim].values.tolist()
        msg = f"{what} is of one {dim}; {facts.name} has {found}. Choose one with results.sel({dim}=[...])."
        raise ValueError(msg)
    return facts.squeeze(dim, drop=True)


def by_depth(purifiers: xr.Dataset) -> Iterator[tuple[str, tuple[float, float, float], xr.Dataset]]:
    """Yield every purifier with its depth in words and its shade: the deeper, the darker."""
    deepest = purifiers["depth"].values.max()
    for place, depth in enumerate(purifiers["depth"].values):
        shade = 0.15 + 0.7 * (1 - depth / deepest)
        yield f"{depth:.0f}", (shade,) * 3, purifiers.isel(purifier=place)


def bars(axes: Axes, across: str, facts: xr.DataArray, look: Mapping[str, Any]) -> None:
    """Draw means over images against a coordinate, with bars of two standard errors."""
    found = estimate(facts)
    found = found.isel({found["mean"].dims[0]: np.isfinite(found["mean"].values)})
    settings = {"markersize": 3, "elinewidth": 0.6, **look}
    axes.errorbar(found[across], found["mean"], yerr=2 * found["standard_error"], **settings)
