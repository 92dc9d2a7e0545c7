"""What a store says of the quantities that arXiv 2505.22839 reports: in words, sampler by sampler."""

from collections.abc import Callable

import xarray as xr

from purigeom.calibration import sampler
from purigeom.judging import cleared
from purigeom.means import estimate
from purigeom.tables.cells import at, cell, fixed_label, uniform

Answer = Callable[[xr.Dataset], str]
THRESHOLD = 0.25


def of_each(facts: xr.DataArray, unit: str = "") -> str:
    """Return the mean of every sampler with its standard error."""
    found = estimate(facts)
    said = [
        f"{sampler(str(found['recipe'].sel(purifier=name).item()))} {cell(found.sel(purifier=name), unit)}"
        for name in found["purifier"].values
        if int(found["count"].sel(purifier=name))
    ]
    return "; ".join(said) or "none"


def by_attack(name: str, stage: str) -> Answer:
    """Answer with distances before or after purification, of attacked images."""
    return lambda results: of_each(at(results[name].sel(stage=stage), "displacement", fixed_label(results)))


def by_chance(name: str, stage: str) -> Answer:
    """Answer with distances before or after purification, of uniformly perturbed images."""
    return lambda results: of_each(uniform(results[name].sel(stage=stage)))


def of_uniform(name: str, unit: str = "") -> Answer:
    """Answer with means over uniform displacements."""
    return lambda results: of_each(uniform(results[name]), unit)


def of_all(name: str, unit: str = "") -> Answer:
    """Answer with means over everything."""
    return lambda results: of_each(results[name], unit)


def share_below(results: xr.Dataset) -> str:
    """Return the share of singular values below the threshold, counted or estimated from products."""
    if "singular_value" in results:
        return of_each((results["singular_value"] < THRESHOLD).mean("mode").where(_has_spectrum(results)), "%")
    return of_each(results["share_below"].sel(threshold=THRESHOLD), "%")


def _has_spectrum(results: xr.Dataset) -> xr.DataArray:
    """Return which images have a spectrum."""
    return results["singular_value"].notnull().any("mode")


def spectrum_norm(results: xr.Dataset) -> str:
    """Return the root mean square of singular values, all of them or as products tell it."""
    if "singular_value" in results:
        return of_each(((results["singular_value"] ** 2).mean("mode") ** 0.5).where(_has_spectrum(results)))
    return of_each(results["root_mean_square"])


def surviving(name: str, *ends: str) -> Answer:
    """Return what survives an attacker whose label ends so, the one of most images."""

    def answer(results: xr.Dataset) -> str:
        labels = [str(label) for label in results["attack"].values if all(end in str(label) for end in ends)]
        if not labels:
            msg = f"These results hold no attacker whose label has {ends}. Measure its survival."
            raise ValueError(msg)
        facts = cleared(results)[name].sel(attack=labels)
        most = facts.count([dim for dim in facts.dims if dim != "attack"]).idxmax("attack").item()
        return of_each(at(facts, "attack", most), "%")

    return answer


def eot_correlation(results: xr.Dataset) -> str:
    """Return the correlation of one gradient with the mean of as many others as there are."""
    return of_each(results["eot_pearson"].isel(count=-1, drop=True))


def crossing(name: str) -> Answer:
    """Answer with distances at which the margin turns, along the attack."""
    return lambda results: of_each(results[name].sel(direction="attack"))


def crossed_twice(results: xr.Dataset) -> str:
    """Return of how many images the margin turns back, of those where it turned."""
    first, second = (results[name].sel(direction="attack") for name in ("first_crossing", "second_crossing"))
    return of_each(second.notnull().where(first.notnull()), "%")


def least_radius(place: str) -> Answer:
    """Return median least radii, those of images that are wrong from the start left out."""

    def answer(results: xr.Dataset) -> str:
        radii = results["minimal_radius"].sel(place=place)
        middle = radii.where(radii > 0).quantile([0.25, 0.5, 0.75], ("draw", "image"))
        kinds = [sampler(str(recipe)) for recipe in results["recipe"].values]
        low, median, high = middle.values
        return "; ".join(
            f"{kind} {median[row]:.3f} ({low[row]:.3f} to {high[row]:.3f})" for row, kind in enumerate(kinds)
        )

    return answer


def along_attacks(outcome: int) -> Answer:
    """Answer with the compression of attacks that failed, or of those that did not."""
    return lambda results: of_each(_by_outcome(results, "attacked_compression", outcome))


def below_critical(outcome: int) -> Answer:
    """Answer with how many attacks are compressed below the critical ratio, by whether they failed."""

    def answer(results: xr.Dataset) -> str:
        ratio, critical = (
            _by_outcome(results, name, outcome) for name in ("attacked_compression", "critical_compression")
        )
        return of_each((ratio < critical).where(ratio.notnull()), "%")

    return answer


def _by_outcome(results: xr.Dataset, name: str, outcome: int) -> xr.DataArray:
    """Return facts of the attacks that failed, or of those that did not."""
    label = fixed_label(results)
    facts, failed = (at(results[one], "attack", label) for one in (name, "attack_failed"))
    return facts.where(failed == outcome)
