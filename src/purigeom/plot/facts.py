"""What figures ask of results: the facts they need, the samplers they compare, and the shade of a depth."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from purigeom.calibration import sampler
from purigeom.means import estimate
from purigeom.plot.style import COLUMN, MARKERS

USUAL = "uniform linf ball"
"""The displacement that figures of one displacement draw where several were measured."""


def require(results: xr.Dataset, what: str, *names: str) -> None:
    """Raise ValueError unless every variable is there."""
    missing = [name for name in names if name not in results]
    if missing:
        msg = f"{what} needs {missing}, which these results lack. Ask the measurement that stores it."
        raise ValueError(msg)


def by_sampler(results: xr.Dataset, what: str, *names: str) -> dict[str, xr.Dataset]:
    """Return the diffusion purifiers of which anything named is known, by their sampler, shallowest first.

    Samplers that differ in more than depth are told apart; of these, one whose depth is not varied is left out.
    """
    known = [results[name].notnull().any([dim for dim in results[name].dims if dim != "purifier"]) for name in names]
    chosen = (results["family"] == "diffusion").values & np.isfinite(results["depth"].values)
    diffusion = results.isel(purifier=chosen & np.any([one.values for one in known], axis=0))
    if not diffusion.sizes["purifier"]:
        msg = f"{what} needs diffusion purifiers; these results hold none."
        raise ValueError(msg)
    recipes = [str(recipe) for recipe in diffusion["recipe"].values]
    samplers, named = np.array([sampler(recipe) for recipe in recipes]), np.array(_series(recipes))
    diffusion = diffusion.assign_coords(deepest=diffusion["depth"].values.max())
    found = {name: diffusion.isel(purifier=named == name).sortby("depth") for name in dict.fromkeys(named)}
    longest = {name: max((named == other).sum() for other in named[samplers == name]) for name in set(samplers)}
    alone = {
        str(name) for name, kind in zip(named, samplers, strict=True) if (named == name).sum() == 1 < longest[kind]
    }
    return {str(name): purifiers for name, purifiers in found.items() if name not in alone}


def _series(recipes: list[str]) -> list[str]:
    """Return the sampler of every recipe, with what it sets otherwise, depth aside, than most of the sampler's do."""
    kinds = [re.sub(r"\bdepth=[^,)]+(, )?", "", recipe) for recipe in recipes]
    usual = {
        name: max((kind for kind in kinds if sampler(kind) == name), key=kinds.count) for name in map(sampler, kinds)
    }
    named = []
    for kind in kinds:
        common = re.findall(r"\w+=[^,()]+(?:\([^)]*\))?", usual[sampler(kind)])
        own = [setting for setting in re.findall(r"\w+=[^,()]+(?:\([^)]*\))?", kind) if setting not in common]
        named.append(", ".join([sampler(kind), *own]))
    return named


def one_setting(facts: xr.DataArray, what: str, dim: str) -> xr.DataArray:
    """Return facts of the one setting they were measured at; another measurement's settings are NaN here."""
    facts = facts.dropna(dim, how="all")
    if facts.sizes[dim] != 1:
        found = facts[dim].values.tolist()
        msg = f"{what} is of one {dim}; {facts.name} has {found}. Choose one with results.sel({dim}=[...])."
        raise ValueError(msg)
    return facts.squeeze(dim, drop=True)


def by_depth(purifiers: xr.Dataset) -> Iterator[tuple[str, tuple[float, float, float], xr.Dataset]]:
    """Yield every purifier with its depth in words and its shade: the deeper, the darker, alike for all samplers."""
    deepest = float(purifiers["deepest"])
    for place, depth in enumerate(purifiers["depth"].values):
        shade = 0.15 + 0.7 * (1 - depth / deepest)
        yield f"{depth:.0f}", (shade,) * 3, purifiers.isel(purifier=place)


def bars(axes: Axes, across: str, facts: xr.DataArray, look: Mapping[str, Any]) -> None:
    """Draw means over images against a coordinate, with bars of two standard errors."""
    found = estimate(facts)
    found = found.isel({found["mean"].dims[0]: np.isfinite(found["mean"].values)})
    settings = {"markersize": 3, "elinewidth": 0.6, **look}
    axes.errorbar(found[across], found["mean"], yerr=2 * found["standard_error"], **settings)


def settings(facts: xr.DataArray, dim: str) -> list[Any]:
    """Return the settings along a dimension at which anything is known."""
    found: list[Any] = facts.dropna(dim, how="all")[dim].values.tolist()
    return found


def usual_kind(facts: xr.DataArray) -> str:
    """Return the displacement that figures of one displacement draw: the uniform one, or the first that is there."""
    kinds = settings(facts, "displacement")
    return USUAL if USUAL in kinds else str(kinds[0])


def usual(facts: xr.DataArray) -> tuple[xr.DataArray, str]:
    """Return facts of one displacement, uniform where that was measured, at its largest radius; and say which."""
    kind = usual_kind(facts)
    chosen = facts.sel(displacement=kind, drop=True)
    radius = max(settings(chosen, "radius"))
    return chosen.sel(radius=radius, drop=True), f"{kind}, radius {radius:g}"


def look(place: int, label: str) -> dict[str, Any]:
    """Return the colour and marker of a series by its place among others."""
    return {"color": f"C{place % 6}", "marker": MARKERS[place % len(MARKERS)], "label": label}


def columns(samplers: Mapping[str, xr.Dataset], rows: int, height: float) -> tuple[Figure, np.ndarray]:
    """Return an empty figure with a titled column of panels per sampler, (row, column); rows share their heights."""
    figure = Figure(figsize=(2 * COLUMN, height))
    panels = figure.subplots(rows, len(samplers), sharey="row", squeeze=False)
    for axes, name in zip(panels[0], samplers, strict=True):
        axes.set_title(name)
    return figure, panels


def explain_depths(figure: Figure, panels: Iterable[Axes], title: str = "depth") -> None:
    """Name every shade of any panel once, from shallow to deep, in a legend beside the panels."""
    named: dict[str, Any] = {}
    for axes in panels:
        handles, labels = axes.get_legend_handles_labels()
        named |= dict(zip(labels, handles, strict=True))
    order = sorted(named, key=lambda label: (not label.isdigit(), int(label) if label.isdigit() else 0))
    figure.legend([named[label] for label in order], order, title=title, loc="outside right upper")


def rising(axes: Axes, values: np.ndarray, end: float, look: Mapping[str, Any]) -> None:
    """Draw which share of numbers is reached, from zero to an end; infinite ones never are, NaN do not count."""
    known = values[~np.isnan(values)]
    reached = np.sort(known[known <= end])
    share = np.arange(len(reached) + 1) / max(len(known), 1)
    axes.step([0, *reached, end], [*share, share[-1]], where="post", **look)


def band(axes: Axes, across: str, facts: xr.DataArray, look: Mapping[str, Any]) -> None:
    """Draw medians over images and draws against a coordinate, in a faint band between the quartiles."""
    known = facts.dropna(across, how="all")
    low, middle, high = known.quantile([0.25, 0.5, 0.75], ("draw", "image")).transpose("quantile", across).values
    axes.fill_between(known[across], low, high, color=look["color"], alpha=0.15, linewidth=0)
    axes.plot(known[across], middle, **look)
