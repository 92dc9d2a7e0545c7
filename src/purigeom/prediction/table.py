"""What predictors see: one row per purifier, gathered from the facts of forward passes, and what attacks left of it."""

import numpy as np
import xarray as xr

from purigeom.judging import cleared

UNIFORM, CORNERS = "uniform linf ball", "linf corners"
_FORWARD = (
    "compression_ratio",
    "cloud_rank",
    "margin_ratio",
    "margin_bend",
    "random_kept",
    "room",
    "moved_share",
    "minimal_radius",
)
_KEPT = ("family", "network", "recipe", "depth", "differentiability")


def tabulated(results: xr.Dataset, radius: float) -> xr.Dataset:
    """Return the facts of every purifier at one linf radius: per image, and averaged over images.

    Every draw of an image is a sample of its own. Where results hold survival as well, `survived` says which samples
    withstood every attack, and `survival` is their share: what predictors learn.
    """
    missing = [name for name in _FORWARD if name not in results]
    if missing:
        msg = f"A prediction needs {missing}, which these results lack. Ask predict.forward_questions."
        raise KeyError(msg)
    known = results["margin_ratio"].dropna("radius", how="all")["radius"].values.tolist()
    if not np.isclose(known, radius).any():
        msg = f"These results were measured at the radii {known}; got {radius}."
        raise ValueError(msg)
    asked = results["margin_ratio"].notnull().any([dim for dim in results["margin_ratio"].dims if dim != "draw"])
    results = results.isel(draw=np.flatnonzero(asked))
    here = results.sel(radius=radius, method="nearest", drop=True)
    table = _samples(here, radius).assign(_means(results, here))
    table = table.assign_coords({name: results.coords[name] for name in _KEPT if name in results.coords})
    about = {"radius": radius, "radii": known}
    if "survived" not in results:
        return table.assign_attrs(about)
    survived = _stacked(_worst(results.sel(radius=radius, method="nearest", drop=True)))
    survival = survived.mean("sample")
    return table.assign(survived=survived, survival=survival).assign_attrs(about)


def _samples(here: xr.Dataset, radius: float) -> xr.Dataset:
    """Return the facts that differ from image to image: (purifier, sample)."""
    compression = _of(here["compression_ratio"], CORNERS).mean("probe")
    anchor_radius = here["minimal_radius"].sel(place="anchor", drop=True)
    reach = here["margin_ratio"] / here["room"]
    facts = {
        "margin_reach": reach,
        "moved_reach": reach / here["moved_share"] ** 0.5,
        "anchor_reach": anchor_radius / (radius * compression),
        "margin_bend": here["margin_bend"],
        "random_kept": here["random_kept"],
        "classified": (here["margin_ratio"] > 0).where(here["margin_ratio"].notnull()),
    }
    return xr.Dataset({name: _stacked(values) for name, values in facts.items()})


def _worst(here: xr.Dataset) -> xr.DataArray:
    """Return what withstood every attack that was run: NaN where one says nothing and none of the others won.

    An attack whose gradient has vanished, for half of a purifier's images or more, was not run.
    """
    verdicts = cleared(here)["survived"]
    vanished = here["gradient_vanished"].astype(float).mean(("draw", "image")) >= 0.5
    run = verdicts.notnull().any(("draw", "image")) & ~vanished
    lost = ((verdicts == 0) & run).any("attack")
    unknown = (verdicts.isnull() & run).any("attack") | ~run.any("attack")
    return xr.ones_like(lost, float).where(~unknown).where(~lost, 0.0)


def _means(results: xr.Dataset, here: xr.Dataset) -> dict[str, xr.DataArray]:
    """Return the facts that are means over images: (purifier,)."""
    ratios = results["compression_ratio"]
    smallest = ratios.sel(radius=ratios.dropna("radius", how="all")["radius"].min(), drop=True)
    means = {
        "compression": _of(here["compression_ratio"], UNIFORM),
        "corner_compression": _of(here["compression_ratio"], CORNERS),
        "small_compression": _of(smallest, UNIFORM),
        "rank": _of(here["cloud_rank"], CORNERS),
    }
    found = {name: facts.mean([dim for dim in facts.dims if dim != "purifier"]) for name, facts in means.items()}
    return {**found, "count": here["margin_ratio"].notnull().any("draw").sum("image")}


def _of(facts: xr.DataArray, displacement: str) -> xr.DataArray:
    return facts.sel(displacement=displacement, drop=True)


def _stacked(facts: xr.DataArray) -> xr.DataArray:
    """Return every draw of every image as a sample, whatever else was measured of more draws."""
    stacked = facts.astype(float).stack(sample=("draw", "image"))
    return stacked.drop_vars(["sample", "draw", "image"]).transpose("purifier", "sample")


def bend(table: xr.Dataset) -> xr.DataArray:
    """Return how bent each purifier's margins are, as a geometric mean over samples."""
    logarithm: xr.DataArray = xr.ufuncs.log(table["margin_bend"].clip(1e-3, 1e3))
    return xr.ufuncs.exp(logarithm.mean("sample"))
