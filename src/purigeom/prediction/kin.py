"""Purifiers that share family and network with a new one: of them less has to be assumed."""

import numpy as np
import xarray as xr

from purigeom.calibration import sampler
from purigeom.fit.held_out import FEWEST

KINDS = 3
"""The fewest kinds of sampler among kin, so that one can be left out and the others still differ."""


def kin(table: xr.Dataset, new: xr.Dataset) -> xr.Dataset | None:
    """Return the purifiers of a table that share family and network with a new one; nothing where they are too few."""
    family, network = (str(new[name].values[0]) for name in ("family", "network"))
    same = (table["family"].values.astype(str) == family) & (table["network"].values.astype(str) == network)
    chosen = table.isel(purifier=np.flatnonzero(same))
    enough = chosen.sizes["purifier"] >= FEWEST and len(set(kinds(chosen))) >= KINDS
    return chosen if enough and network not in ("", "None") else None


def kinds(table: xr.Dataset) -> np.ndarray:
    """Return the kind of sampler of every purifier, as its recipe names it."""
    return np.array([sampler(str(recipe)) for recipe in table["recipe"].values])
