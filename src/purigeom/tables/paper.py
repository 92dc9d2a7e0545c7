"""The tables of arXiv 2505.22839, made of a store's facts."""

from collections.abc import Callable, Mapping

import xarray as xr

from purigeom.judging import cleared
from purigeom.means import estimate
from purigeom.measurements.frechet import frechet_distances
from purigeom.plot.facts import one_setting, require
from purigeom.tables.cells import WHO, at, cell, fixed_label, purifiers, uniform
from purigeom.tables.writing import Table


def purified_distances(results: xr.Dataset) -> Table:
    """Return Table 1: how far clean images are moved, and their features where there are images enough to tell."""
    require(results, "Table 1", "l2_distance", "linf_distance", "ssim", "purified_feature")
    found = [estimate(results[name]) for name in ("l2_distance", "linf_distance", "ssim")]
    extractors = results["extractor"].values if results.sizes["image"] > results.sizes["feature"] else ()
    found += [_frechet(results.sel(extractor=[label])) for label in extractors]
    heads = ("l2 to clean", "linf to clean", "SSIM", *(f"Fréchet, {label}" for label in extractors))
    rows = [(*who, *(cell(one.sel(purifier=name)) for one in found)) for name, who in purifiers(results)]
    return Table("Table 1: clean images, purified", (*WHO, *heads), tuple(rows))


def _frechet(results: xr.Dataset) -> xr.Dataset:
    return frechet_distances(results).isel(extractor=0).rename(frechet_distance="mean")


def perturbed_distances(results: xr.Dataset) -> Table:
    """Return how far perturbed images are from the clean ones, before purification and after."""
    names = {"perturbed_l2": "l2", "perturbed_linf": "linf", "perturbed_ssim": "SSIM"}
    require(results, "The table of distances before and after", *names)
    found = [estimate(one_setting(results[name], "A table", "radius")) for name in names]
    rows = [
        (*who, str(label), *(_staged(one.sel(purifier=name, displacement=label)) for one in found))
        for name, who in purifiers(results)
        for label in results["displacement"].values
        if found[0]["count"].sel(purifier=name, displacement=label).any()
    ]
    return Table("Distances to clean, before → after", (*WHO, "perturbed by", *names.values()), tuple(rows))


def _staged(found: xr.Dataset) -> str:
    return " → ".join(cell(found.sel(stage=stage)) for stage in ("before", "after"))


def attacked_compression(results: xr.Dataset) -> Table:
    """Return Table 2: compression of random displacements, and of attacks that failed and that succeeded."""
    require(results, "Table 2", "compression_ratio", "attacked_compression", "attack_failed", "survived")
    random = estimate(one_setting(results["compression_ratio"], "Table 2", "radius"))
    kinds = [str(label) for label in random["displacement"].values if random["count"].sel(displacement=label).any()]
    label = fixed_label(results)
    ratio, failed = (at(results[name], "attack", label) for name in ("attacked_compression", "attack_failed"))
    found = [random.sel(displacement=kind) for kind in kinds]
    found += [estimate(ratio.where(failed == outcome)) for outcome in (1, 0)]
    rows = [(*who, *(cell(one.sel(purifier=name), counted=True) for one in found)) for name, who in purifiers(results)]
    columns = (*WHO, *kinds, "PGD (robust)", "PGD (non-robust)")
    return Table("Table 2: compression, with the number of images", columns, tuple(rows))


def robustness(results: xr.Dataset) -> Table:
    """Return Table 3: compression beside survival of an attack that knows the configuration, and clean accuracy."""
    require(results, "Table 3", "compression_ratio", "survived", "classified")
    compression = estimate(uniform(results["compression_ratio"]))
    survived = estimate(at(cleared(results)["survived"], "attack", fixed_label(results)))
    clean = estimate(results["classified"].isel(draw=[0]))
    rows = [
        (
            *who,
            cell(compression.sel(purifier=name)),
            *(cell(one.sel(purifier=name), "%") for one in (survived, clean)),
        )
        for name, who in purifiers(results)
    ]
    return Table("Table 3: compression and robustness", (*WHO, "Compress", "PGD (fix)", "clean accuracy"), tuple(rows))


def attackers(results: xr.Dataset) -> Table:
    """Return the fixed-noise table: what survives every attacker, in the known configuration and in fresh ones."""
    require(results, "The table of attackers", "survived", "survived_fresh", "classified")
    verdicts, clean = cleared(results), estimate(results["classified"].isel(draw=[0]))
    judges = [estimate(one_setting(verdicts[name], "A table", "radius")) for name in ("survived", "survived_fresh")]
    rows = [
        (
            *who,
            cell(clean.sel(purifier=name), "%"),
            str(label),
            *(cell(one.sel(purifier=name, attack=label), "%", counted=True) for one in judges),
        )
        for name, who in purifiers(results)
        for label in results["attack"].values
        if int(judges[0]["count"].sel(purifier=name, attack=label)) > 0
    ]
    columns = (*WHO, "clean accuracy", "attacker", "same configuration", "fresh configurations")
    return Table("Fixed noise: what survives, with the number of images", columns, tuple(rows))


TABLES: Mapping[str, Callable[[xr.Dataset], Table]] = {
    "table_1_distances": purified_distances,
    "table_1_before_and_after": perturbed_distances,
    "table_2_attacked_compression": attacked_compression,
    "table_3_robustness": robustness,
    "table_fixed_noise": attackers,
}
"""Every table by the name of its file."""
