"""The sigmoid of a store: which purifiers enter it, with what counts, and what comes out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from purigeom.estimate import estimate
from purigeom.fit import SigmoidFit, fit_sigmoid
from purigeom.judging import cleared

CALIBRATED = ("diffusion", "identity")
"""The families whose curve arXiv 2505.22839 claims, and where it ends: no purifier at all."""


@dataclass(frozen=True)
class Calibration:
    """A fitted sigmoid beside the points it was fitted to, one per purifier."""

    points: xr.Dataset
    fit: SigmoidFit


def calibrate(results: xr.Dataset, families: Sequence[str] = CALIBRATED) -> Calibration:
    """Fit survival, under randomness the attacker knew, against mean compression; the ceiling is fitted too.

    Only purifiers of the given families enter, and of these only those that give an attacker a gradient: survival
    of the others tells how the attack failed. One radius and one attack.
    """
    points = calibration_points(results, families)
    fitted = points.isel(purifier=points["fitted"].values)
    fit = fit_sigmoid(fitted["compression"].values, fitted["survival"].values, fitted["count"].values, ceiling=None)
    return Calibration(points, fit)


def calibration_points(results: xr.Dataset, families: Sequence[str] = CALIBRATED) -> xr.Dataset:
    """Return compression and survival per purifier, with standard errors over images, and whether it is fitted."""
    needed = {"compression_ratio", "survived", "gradient_vanished"} - set(results)
    if needed:
        msg = f"A calibration needs {sorted(needed)}, which these results lack. Measure compression and survival."
        raise KeyError(msg)
    compression = estimate(_single(results["compression_ratio"], "displacement", "radius"))
    survival = estimate(_single(cleared(results)["survived"], "attack", "radius"))
    vanished = _single(results["gradient_vanished"], "attack").mean(("draw", "image"))
    chosen = results["family"].isin(list(families))
    known = np.isfinite(survival["mean"]) & np.isfinite(compression["mean"])
    return xr.Dataset(
        {
            "compression": compression["mean"],
            "compression_standard_error": compression["standard_error"],
            "survival": survival["mean"],
            "survival_standard_error": survival["standard_error"],
            "count": survival["count"],
            "vanished": vanished,
            "fitted": chosen & known & (vanished < 0.5),
        }
    )


def sampler(recipe: str) -> str:
    """Return the class a purifier's recipe names.

    Examples
    --------
    >>> sampler("DDPM(network=UNet('digits-ddpm'), depth=100)")
    'DDPM'
    """
    return recipe.split("(", 1)[0]


def _single(facts: xr.DataArray, *dims: str) -> xr.DataArray:
    """Return facts of the one setting they were measured at; another measurement's settings are NaN here."""
    for dim in dims:
        facts = facts.dropna(dim, how="all")
        if facts.sizes[dim] != 1:
            found = facts[dim].values.tolist()
            msg = f"A calibration is of one {dim}; {facts.name} has {found}. Choose one with results.sel({dim}=[...])."
            raise ValueError(msg)
    return facts.squeeze(list(dims), drop=True)
