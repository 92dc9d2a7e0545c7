"""The sigmoid of a store: which purifiers enter it, with what counts, and what comes out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from purigeom.fit import Choice, SigmoidFit, chosen, fit_sigmoid
from purigeom.fit.held_out import Errors, Learn, errors, held_out, nested_intervals, seen
from purigeom.fit.learners import mean_survival, sigmoid_ends, sigmoid_of
from purigeom.judging import cleared
from purigeom.means import estimate

CALIBRATED = ("diffusion", "identity")
"""The families whose curve arXiv 2505.22839 claims, and where it ends: no purifier at all."""

LEFT_OUT = ("purifier", "sampler", "network", "family")
"""What is left out in turn: purifiers of one sampler, network or family are not independent of each other."""
PREDICTORS: Mapping[str, Learn] = {
    "sigmoid": sigmoid_of("compression"),
    "constant": mean_survival,
    "depth alone": sigmoid_of("depth"),
}
"""The sigmoid of compression, and what it must beat: the mean, and the same sigmoid of depth."""


@dataclass(frozen=True)
class Calibration:
    """A fitted sigmoid beside the points it was fitted to, one per purifier."""

    points: xr.Dataset
    fit: SigmoidFit

    @property
    def fitted(self) -> xr.Dataset:
        """The points that the sigmoid was fitted to."""
        return self.points.isel(purifier=self.points["fitted"].values)

    @property
    def choice(self) -> Choice:
        """Which curve these points support: a constant, a line or a sigmoid."""
        fitted = self.fitted
        return chosen(fitted["compression"].values, fitted["survival"].values, fitted["count"].values)


@dataclass(frozen=True)
class HeldOut:
    """Errors by predictor and by what was left out of its fit; `in sample` nothing was."""

    errors: Mapping[str, Mapping[str, Errors]]
    purifiers: int

    @property
    def sentence(self) -> str:
        """Say every error, and what could not be left out."""
        middle = self.errors["in sample"]["constant"].middle.purifiers
        said = [
            f"Mean absolute errors over {self.purifiers} purifiers in percentage points, and in the middle over the "
            f"{middle} of which 10 to 90 % survive, with 90 % intervals from a bootstrap over groups."
        ]
        for left, found in self.errors.items():
            groups = found["constant"].groups
            where = "In sample" if left == "in sample" else f"Leaving out one {left} of {groups} in turn"
            said.append(f"{where}: {'; '.join(f'{name} {one.sentence}' for name, one in found.items())}.")
        whole = [left for left in LEFT_OUT if left not in self.errors]
        if whole:
            said.append(f"They do not differ in {' and '.join(whole)}: none could be left out.")
        return " ".join(said)


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


def held_out_errors(calibration: Calibration, seed: int = 0) -> HeldOut:
    """Return the errors of the sigmoid, a constant and depth alone, in sample and with groups left out in turn."""
    table = _with_depth(calibration.fitted)
    groups = {left: names for left, names in _groups(table).items() if len(set(names)) > 1}
    alone = np.arange(table.sizes["purifier"])
    found = {"in sample": {name: errors(seen(learn, table), table, alone, seed) for name, learn in PREDICTORS.items()}}
    for left, names in groups.items():
        found[left] = {
            name: errors(held_out(learn, table, names), table, names, seed) for name, learn in PREDICTORS.items()
        }
    return HeldOut(found, table.sizes["purifier"])


def held_out_predictions(calibration: Calibration, left_out: str = "purifier", level: float = 0.9) -> xr.Dataset:
    """Return the fitted points with what a sigmoid that did not see their group predicts, and its interval.

    `lower` and `upper` are those of the jackknife+, or of the sigmoid's own prediction where purifiers are too few.
    """
    table = calibration.fitted
    names = _groups(table)[left_out]
    ends = np.array(nested_intervals(PREDICTORS["sigmoid"], table, names, level))
    own = np.array([held_out(learn, table, names) for learn in sigmoid_ends("compression", level)])
    lower, upper = np.where(np.isfinite(ends), ends, own)
    predicted = held_out(PREDICTORS["sigmoid"], table, names)
    columns = {"predicted": predicted, "lower": lower, "upper": upper}
    return table.assign({name: ("purifier", values) for name, values in columns.items()}).assign_attrs(
        left_out=left_out, level=level
    )


def sampler(recipe: str) -> str:
    """Return the class a purifier's recipe names.

    Examples
    --------
    >>> sampler("DDPM(network=UNet('digits-ddpm'), depth=100)")
    'DDPM'
    """
    return recipe.split("(", 1)[0]


def _groups(table: xr.Dataset) -> dict[str, np.ndarray]:
    """Return what each purifier shares with others, by what may be left out."""
    known = {
        "purifier": table["purifier"].values,
        "sampler": np.array([sampler(str(recipe)) for recipe in table["recipe"].values]),
    }
    return known | {left: table[left].values.astype(str) for left in ("network", "family") if left in table.coords}


def _with_depth(table: xr.Dataset) -> xr.Dataset:
    """Return the table with the depth of every purifier: none where images are left as they are, NaN elsewhere."""
    depth = table.coords.get("depth", xr.full_like(table["compression"], np.nan))
    return table.assign_coords(depth=depth.astype(float).where(table["family"] != "identity", 0.0))


def _single(facts: xr.DataArray, *dims: str) -> xr.DataArray:
    """Return facts of the one setting they were measured at; another measurement's settings are NaN here."""
    for dim in dims:
        facts = facts.dropna(dim, how="all")
        if facts.sizes[dim] != 1:
            found = facts[dim].values.tolist()
            msg = f"A calibration is of one {dim}; {facts.name} has {found}. Choose one with results.sel({dim}=[...])."
            raise ValueError(msg)
    return facts.squeeze(list(dims), drop=True)
