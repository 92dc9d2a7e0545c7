"""Every variable purigeom stores: its name, its dimensions, its units and what it means."""

import xarray as xr

from purigeom.schema.boundary import *  # noqa: F403
from purigeom.schema.geometry import *  # noqa: F403
from purigeom.schema.margins import *  # noqa: F403
from purigeom.schema.outputs import *  # noqa: F403
from purigeom.schema.robustness import *  # noqa: F403
from purigeom.schema.variable import Variable as Variable

SCHEMA_VERSION = 2
"""Raised whenever the layout of a store or the meaning of a variable changes."""

VARIABLES = {variable.name: variable for variable in list(vars().values()) if isinstance(variable, Variable)}


def validate(results: xr.Dataset) -> xr.Dataset:
    """Return the results with every variable documented; raise if one breaks its contract."""
    for name in results.data_vars:
        if name not in VARIABLES:
            msg = f"Cannot store {name!r}: not declared in purigeom.schema, which knows {sorted(VARIABLES)}."
            raise KeyError(msg)
        variable = VARIABLES[str(name)]
        found = tuple(dim for dim in results[name].dims if dim != "purifier")
        if found != variable.dims:
            msg = f"{name!r} must have dimensions {variable.dims}; got {found}."
            raise ValueError(msg)
        results[name].attrs.update(description=variable.meaning, units=variable.units)
    return results
