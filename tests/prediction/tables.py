"""Made-up tables of purifiers whose survivors follow a known rule."""

import numpy as np
import xarray as xr

FAMILIES = ("blur", "noise", "diffusion", "jpeg", "median")


def made(purifiers=20, samples=200, seed=0, steep=4.0, level=-0.5):
    """Return a table in which an image survives with the chance expit(level + steep log(margin reach))."""
    generator = np.random.default_rng(seed)
    centre = np.linspace(-1.2, 1.2, purifiers)[:, None]
    logarithm = centre + 0.6 * generator.standard_normal((purifiers, samples))
    survived = generator.uniform(size=logarithm.shape) < 1 / (1 + np.exp(-level - steep * logarithm))
    reach = np.exp(logarithm)
    compression = np.exp(-centre[:, 0])
    columns = {name: compression for name in ("compression", "corner_compression", "small_compression", "rank")}
    wise = {
        "margin_reach": reach,
        "anchor_reach": np.exp(logarithm + 0.5 * generator.standard_normal(reach.shape)),
        "moved_reach": reach * np.exp(0.1 * generator.standard_normal(reach.shape)),
        "margin_bend": np.full_like(reach, 0.2),
        "random_kept": np.ones_like(reach),
        "classified": np.ones_like(reach),
        "survived": survived.astype(float),
    }
    return xr.Dataset(
        {
            **{name: ("purifier", values) for name, values in columns.items()},
            **{name: (("purifier", "sample"), values) for name, values in wise.items()},
            "survival": ("purifier", survived.mean(1)),
            "count": ("purifier", np.full(purifiers, samples)),
        },
        coords={
            "purifier": [f"p{place}" for place in range(purifiers)],
            "family": ("purifier", [FAMILIES[place % len(FAMILIES)] for place in range(purifiers)]),
            "network": ("purifier", [""] * purifiers),
            "recipe": ("purifier", [f"Kind{place % 3}()" for place in range(purifiers)]),
            "depth": ("purifier", np.full(purifiers, np.nan)),
        },
        attrs={"radius": 0.1, "radii": [0.1]},
    )
