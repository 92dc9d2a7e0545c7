"""What all purifiers of a store say together: of the curve, of its rank correlations and of the attack."""

import numpy as np
import xarray as xr
from scipy.stats import spearmanr

from purigeom.calibration import Calibration, calibrate, calibration_points, held_out_errors, sampler
from purigeom.fit import curve, standard_errors
from purigeom.geometry.displacement import UniformBall
from purigeom.judging import cleared
from purigeom.means import estimate
from purigeom.plot.protocol import FIXED
from purigeom.tables.cells import at, cell, fixed_label

WEAK = 0.8
"""The compression ratio above which the paper finds hardly any gain."""


def _chosen(results: xr.Dataset) -> xr.Dataset:
    """Return uniform displacements, and the attacker that knows the configuration."""
    return results.sel(attack=[fixed_label(results)], displacement=[UniformBall.label])


def _calibrated(results: xr.Dataset) -> Calibration:
    return calibrate(_chosen(results))


def _points(results: xr.Dataset) -> xr.Dataset:
    """Return the purifiers that a curve would be fitted to, and no purifier at all among them."""
    points = calibration_points(_chosen(results))
    return points.isel(purifier=points["fitted"].values)


def fitted(results: xr.Dataset) -> str:
    """Return the parameters of the sigmoid, and whether it is supported."""
    calibration = _calibrated(results)
    fit, errors = calibration.fit, standard_errors(calibration.fit)
    said = [f"{name} {getattr(fit, name):.3f} ± {error:.3f}" for name, error in errors.items()]
    return f"{', '.join(said)}, dispersion {fit.dispersion:.1f}. {calibration.choice.sentence}"


def held_out(results: xr.Dataset) -> str:
    """Return the errors of the sigmoid and of what it must beat."""
    return held_out_errors(_calibrated(results)).sentence


def at_zero(results: xr.Dataset) -> str:
    """Return the curve where everything is compressed, with its confidence interval."""
    middle, low, high = (float(end[0]) for end in curve(_calibrated(results).fit, 0.0))
    return f"{100 * middle:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def ranks(results: xr.Dataset) -> str:
    """Return rank correlations of compression and survival, over all diffusion purifiers and by sampler."""
    points = _points(results)
    kinds = np.array([sampler(str(recipe)) for recipe in points["recipe"].values])
    chosen = {"all": points, **{kind: points.isel(purifier=kinds == kind) for kind in dict.fromkeys(kinds)}}
    return "; ".join(
        f"{kind} {_rank_correlation(some['compression'], some['survival'])}"
        for kind, some in chosen.items()
        if some.sizes["purifier"] > 3
    )


def _rank_correlation(first: xr.DataArray, second: xr.DataArray) -> str:
    count = f"(of {first.size})"
    if np.ptp(first.values) == 0 or np.ptp(second.values) == 0:
        return f"none, one of them does not vary {count}"
    return f"{spearmanr(first.values, second.values).statistic:.2f} {count}"


def peaks(results: xr.Dataset) -> str:
    """Return where most images survive, by sampler."""
    points = _points(results)
    kinds = np.array([sampler(str(recipe)) for recipe in points["recipe"].values])
    said = []
    for kind in dict.fromkeys(kinds):
        best = points.isel(purifier=kinds == kind).sortby("survival").isel(purifier=-1)
        if np.isfinite(best["depth"]):
            said.append(f"{kind} {_percent(best)} at depth {best['depth'].item():.0f}")
    return "; ".join(said)


def weakly_compressed(results: xr.Dataset) -> str:
    """Return the most that survives of purifiers that compress little, or of the one that compresses least."""
    points = _points(results)
    points = points.isel(purifier=np.isfinite(points["depth"].values)).sortby("compression")
    weak = points.isel(purifier=(points["compression"] > WEAK).values)
    if weak.sizes["purifier"]:
        return f"at most {_percent(weak.sortby('survival').isel(purifier=-1))}, of {weak.sizes['purifier']} purifiers"
    least = points.isel(purifier=-1)
    return f"none so weak; the weakest, at {least['compression'].item():.2f}: {_percent(least)}"


def doubled(results: xr.Dataset) -> str:
    """Return the largest change of survival from fewest to most steps, on the images that both attacked."""
    calls = results["gradient_calls"].mean([dim for dim in results["gradient_calls"].dims if dim != "attack"])
    labels = sorted(
        (str(one) for one in results["attack"].values if str(one).endswith(FIXED)),
        key=lambda label: calls.sel(attack=label).item(),
    )
    if len(labels) < 2:
        msg = f"Doubled steps need two attacks that end in {FIXED!r}; these results hold {labels}."
        raise ValueError(msg)
    short, long = (at(cleared(results)["survived"], "attack", label) for label in (labels[0], labels[-1]))
    change = estimate(long - short)
    most = change.isel(purifier=int(np.nanargmax(np.abs(change["mean"].values))))
    return f"{cell(most, '%', counted=True)} for {most['purifier'].item()}, from {labels[0]} to {labels[-1]}"


def clean_ranks(results: xr.Dataset) -> str:
    """Return the rank correlation of clean accuracy with compression, over diffusion purifiers."""
    points = _points(results)
    clean = results["classified"].isel(draw=0).mean("image").sel(purifier=points["purifier"])
    return _rank_correlation(points["compression"], clean)


def _percent(point: xr.Dataset) -> str:
    return f"{100 * point['survival'].item():.1f} ± {100 * point['survival_standard_error'].item():.1f} %"
