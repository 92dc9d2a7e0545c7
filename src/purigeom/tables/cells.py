"""What rows and cells of tables say: who a purifier is, and means with their standard errors."""

import re
from collections.abc import Iterator

import numpy as np
import xarray as xr

from purigeom.calibration import sampler
from purigeom.geometry.displacement import UniformBall
from purigeom.plot.facts import one_setting
from purigeom.plot.protocol import FIXED

WHO = ("purifier", "sampler", "depth", "steps")
ABSENT = "-"


def purifiers(results: xr.Dataset) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the name of every purifier and the cells that say who it is."""
    for name, recipe, depth in zip(*(results[one].values for one in ("purifier", "recipe", "depth")), strict=True):
        steps = re.search(r"\bsteps=(\d+)", str(recipe))
        at = f"{depth:.0f}" if np.isfinite(depth) else ABSENT
        yield str(name), (str(name), sampler(str(recipe)), at, steps[1] if steps else ABSENT)


def cell(found: xr.Dataset, unit: str = "", *, counted: bool = False) -> str:
    """Return one mean with its standard error, and the number of images where that is told.

    Examples
    --------
    >>> found = xr.Dataset({"mean": 0.25, "standard_error": 0.031, "count": 64})
    >>> cell(found), cell(found, "%"), cell(found, counted=True)
    ('0.250 ± 0.031', '25.0 ± 3.1 %', '0.250 ± 0.031 (64)')
    """
    count = int(found["count"].max())
    if not count:
        return ABSENT
    scale, form = (100.0, ".1f") if unit == "%" else (1.0, ".3f")
    mean, error = scale * float(found["mean"]), scale * float(found["standard_error"])
    said = f"{mean:{form}}" + (f" ± {error:{form}}" if np.isfinite(error) else "")
    return said + (f" {unit}" if unit else "") + (f" ({count})" if counted else "")


def fixed_label(results: xr.Dataset) -> str:
    """Return who attacked most images, of those that know the configuration and take exact gradients."""
    known = (
        results["survived"].notnull().any([dim for dim in results["survived"].dims if dim not in ("attack", "image")])
    )
    counts = {str(label): int(known.sel(attack=label).sum()) for label in results["attack"].values}
    fixed = {label: count for label, count in counts.items() if label.endswith(FIXED)}
    if not fixed:
        msg = f"These results hold no attacker of fixed knowledge and exact gradients; they hold {sorted(counts)}."
        raise ValueError(msg)
    return max(fixed, key=lambda label: fixed[label])


def at(facts: xr.DataArray, dim: str, label: str) -> xr.DataArray:
    """Return facts of one labelled setting and of their one radius."""
    return one_setting(facts.sel({dim: label}, drop=True), "A table", "radius")


def uniform(facts: xr.DataArray) -> xr.DataArray:
    """Return facts of uniform displacements, of their one radius."""
    return at(facts, "displacement", UniformBall.label)
