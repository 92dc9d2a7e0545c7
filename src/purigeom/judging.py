"""From stored verdicts to the protocols of the literature, image by image: which randomness judges, and how often."""

import xarray as xr

from purigeom.defence.knowledge import Unaware
from purigeom.schema import GRADIENT_BROKEN, SURVIVED, SURVIVED_FRESH, SURVIVED_VOTE

VERDICTS = (SURVIVED.name, SURVIVED_FRESH.name, SURVIVED_VOTE.name)


def judged(results: xr.Dataset) -> xr.Dataset:
    """Return what survives under every protocol, as one number per image and setting; means come later.

    The pinned configuration is what an attacker with fixed knowledge was told; all other protocols judge by the same
    fresh configurations, which no attacker saw: transfer between configurations is their mean where the attacker knew
    one. An image that survived an attack whose gradient broke has no verdict; one that did not has lost all the same.

    Examples
    --------
    >>> fresh = xr.DataArray([[[[[True]], [[False]]]]], dims=("attack", "radius", "judgement", "draw", "image"))
    >>> once = fresh.isel(judgement=0)
    >>> results = xr.Dataset({"survived": ~once, "survived_fresh": fresh, "survived_vote": once})
    >>> {name: verdict.item() for name, verdict in judged(results).items()}
    {'pinned configuration': 0.0, 'mean of 2 fresh': 0.5, 'worst of 2 fresh': 0.0, 'vote of 2 fresh': 1.0}
    """
    missing = set(VERDICTS) - set(results)
    if missing:
        msg = f"A judgement needs {sorted(missing)}, which these results lack. Measure survival."
        raise KeyError(msg)
    fresh = results[SURVIVED_FRESH.name].astype(float)
    count = fresh.sizes["judgement"]
    known = fresh.notnull().sum("judgement")
    if ((known > 0) & (known < count)).any():
        msg = (
            f"These attacks were judged by different numbers of fresh configurations, up to {count}: the worst of few "
            "is no worst of many. Choose one with results.sel(attack=[...]), or give all the same judgements."
        )
        raise ValueError(msg)
    verdicts = xr.Dataset(
        {
            "pinned configuration": results[SURVIVED.name].astype(float),
            f"mean of {count} fresh": fresh.mean("judgement"),
            f"worst of {count} fresh": fresh.min("judgement"),
            f"vote of {count} fresh": results[SURVIVED_VOTE.name].astype(float),
        }
    )
    return unbroken(verdicts, results)


def cleared(results: xr.Dataset) -> xr.Dataset:
    """Return the results with no verdict on images that survived because a gradient broke, for all we know."""
    names = [name for name in VERDICTS if name in results]
    return results.assign(unbroken(results[names], results))


def unaware(results: xr.Dataset) -> xr.Dataset:
    """Return the results of the one attack that never looked at the purifier; no verdict where its gradient broke."""
    blind = _blind(results)
    if len(blind) != 1:
        msg = f"One attack that is unaware of the purifier is needed; these results hold {blind or 'none'}."
        raise ValueError(msg)
    return cleared(results.sel(attack=blind[0], drop=True))


def looking(results: xr.Dataset) -> xr.Dataset:
    """Return the results of the attacks that knew the purifier."""
    return results.drop_sel(attack=_blind(results))


def _blind(results: xr.Dataset) -> list[str]:
    return [label for label in results["attack"].values if Unaware.label in str(label)]


def unbroken(facts: xr.Dataset, results: xr.Dataset) -> xr.Dataset:
    """Return verdicts as numbers, NaN for images that survived at all though a gradient broke."""
    if GRADIENT_BROKEN.name not in results:
        return facts.astype(float)
    verdicts = facts.astype(float)
    return verdicts.where((results[GRADIENT_BROKEN.name] != 1) | (verdicts == 0))
