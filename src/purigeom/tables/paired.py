"""Differences between two facts of the same images, in words: what pairing tells and two means with errors do not."""

import xarray as xr

from purigeom.judging import cleared
from purigeom.tables.answers import Answer, of_each
from purigeom.tables.cells import at, fixed_label, uniform


def l2_moved(results: xr.Dataset) -> str:
    """Return how much farther attacked images are from clean ones after purification than before."""
    both = at(results["perturbed_l2"], "displacement", fixed_label(results))
    return of_each(both.sel(stage="after", drop=True) - both.sel(stage="before", drop=True))


def configuration_less_input(results: xr.Dataset) -> str:
    """Return how much better displacements agree that share the configuration than those that share the input."""
    return of_each(uniform(results["correlation_same_configuration"] - results["correlation_same_input"]))


def fresh_less_pinned(results: xr.Dataset) -> str:
    """Return how much more survives in configurations that the attacker did not know."""
    facts, label = cleared(results), fixed_label(results)
    fresh = at(facts["survived_fresh"], "attack", label).mean("judgement")
    return of_each(fresh - at(facts["survived"], "attack", label), "%")


def less_exact(*ends: str) -> Answer:
    """Answer with how much more survives an attacker whose label ends so than one of exact gradients."""

    def answer(results: xr.Dataset) -> str:
        survived, label = cleared(results)["survived"], fixed_label(results)
        others = [str(one) for one in survived["attack"].values if all(end in str(one) for end in ends)]
        if not others:
            msg = f"These results hold no attacker whose label has {ends}. Measure its survival."
            raise ValueError(msg)
        return of_each(at(survived, "attack", others[0]) - at(survived, "attack", label), "%")

    return answer


def anchor_less_clean(results: xr.Dataset) -> str:
    """Return how much more it takes to fool the classifier at the anchor than at the clean image."""
    radii = results["minimal_radius"]
    known = radii.where((radii > 0) & (radii < float("inf")))
    return of_each(known.sel(place="anchor", drop=True) - known.sel(place="clean image", drop=True))
