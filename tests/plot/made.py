"""Made-up facts of a few purifiers, and what panels show of them."""

import numpy as np
import xarray as xr

from purigeom.plot.facts import USUAL
from purigeom.schema import VARIABLES, validate

DEPTHS = {"DDPM": (90, 10), "DDIM": (10, 90, 170)}
SIZES = {
    "displacement": 1,
    "radius": 3,
    "draw": 2,
    "probe": 2,
    "image": 5,
    "mode": 4,
    "pair": 2,
    "threshold": 1,
    "row": 3,
    "column": 3,
    "stage": 2,
    "place": 3,
    "direction": 2,
    "distance": 7,
    "along": 5,
    "across": 5,
    "attack": 2,
    "count": 3,
}
PLACES = {
    "radius": [0.05, 0.1, 0.2],
    "threshold": [0.25],
    "displacement": [USUAL],
    "stage": ["before", "after"],
    "place": ["clean image", "anchor", "defence"],
    "direction": ["attack", "random"],
    "distance": np.arange(7) / 2,
    "along": np.linspace(-2, 2, 5),
    "across": np.linspace(-2, 2, 5),
    "attack": ["PGD-10 linf, fixed, exact", "PGD-10 linf, fixed, bpda"],
    "count": [1, 4, 16],
}


def made(*names, channels=1):
    """Return made-up facts of five diffusion purifiers by two samplers, and of one purifier of another kind."""
    generator = np.random.default_rng(0)
    depths = [(kind, depth) for kind, several in DEPTHS.items() for depth in several]
    sizes = {"purifier": 1 + len(depths), **SIZES, "channel": channels}
    facts = {
        name: (dims, generator.uniform(0.1, 0.9, [sizes[dim] for dim in dims]))
        for name in names
        for dims in [("purifier", *VARIABLES[name].dims)]
    }
    used = {dim for dims, _ in facts.values() for dim in dims}
    places = {dim: range(size) for dim, size in sizes.items() if dim in used}
    known = {
        "purifier": ["identity", *(f"{kind} {depth}" for kind, depth in depths)],
        "family": ("purifier", ["identity", *["diffusion"] * len(depths)]),
        "recipe": ("purifier", ["Identity()", *(f"{kind}(depth={depth})" for kind, depth in depths)]),
        "depth": ("purifier", [np.nan, *(float(depth) for _, depth in depths)]),
        **{dim: values for dim, values in PLACES.items() if dim in used},
    }
    return validate(xr.Dataset(facts, coords={**places, **known}))


def solid(axes):
    """Return the curves of a panel, without straight lines across it and the caps of bars."""
    return [line for line in axes.lines if len(line.get_xdata()) > 2 or line.get_label().isdigit()]


def error_bars(axes):
    """Return the series of a panel by their label: place, height and bar."""
    return {one.get_label(): (*one.lines[0].get_data(orig=False), one.has_yerr) for one in axes.containers}
