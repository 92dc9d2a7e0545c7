"""Which of several measured settings a curve of survival against compression is of."""

import xarray as xr

from purigeom.plot.facts import require, settings, usual_kind

FIXED = "fixed, exact"
"""What the label of an attacker ends with who knows the configuration and takes exact gradients."""


def of_one_protocol(results: xr.Dataset, what: str, attack: str = "") -> xr.Dataset:
    """Return results in which survival and compression are each known at one setting: NaN at all others.

    Without an attack named, the first one that knows the configuration and takes exact gradients, or the first of all.
    Displacements are uniform where that was measured; the radius is the largest that both have, or each's own largest.
    """
    require(results, what, "compression_ratio", "survived")
    attacks = settings(results["survived"], "attack")
    attack = attack or next((name for name in attacks if str(name).endswith(FIXED)), attacks[0])
    chosen = results.sel(attack=[attack], displacement=[usual_kind(results["compression_ratio"])])
    known = {name: settings(chosen[name], "radius") for name in ("survived", "compression_ratio")}
    shared = set(known["survived"]) & set(known["compression_ratio"])
    radius = {name: max(shared or radii) for name, radii in known.items()}
    return chosen.assign({name: chosen[name].where(chosen["radius"] == radius[name]) for name in known})


def attack_in_words(chosen: xr.Dataset) -> str:
    """Return the one attack of chosen results, and its radius."""
    (attack,), (radius,) = (settings(chosen["survived"], dim) for dim in ("attack", "radius"))
    return f"{attack}, radius {radius:g}"
