"""Every variable purigeom stores: its name, its dimensions, its units and what it means."""

from dataclasses import dataclass

import xarray as xr

SCHEMA_VERSION = 1
"""Raised whenever the layout of a store or the meaning of a variable changes."""


@dataclass(frozen=True)
class Variable:
    """The contract of one stored variable; in a store, `purifier` comes before its dimensions."""

    name: str
    dims: tuple[str, ...]
    meaning: str
    units: str = "1"


COMPRESSION_RATIO = Variable(
    "compression_ratio",
    ("displacement", "radius", "draw", "probe", "image"),
    "Length of a displacement after purification over its length before.",
)
L1 = Variable("l1_distance", ("draw", "image"), "l1 distance from purified to clean image.", "image range")
L2 = Variable("l2_distance", ("draw", "image"), "l2 distance from purified to clean image.", "image range")
LINF = Variable("linf_distance", ("draw", "image"), "linf distance from purified to clean image.", "image range")
PSNR = Variable("psnr", ("draw", "image"), "Peak signal-to-noise ratio of purified to clean image.", "dB")
SSIM = Variable("ssim", ("draw", "image"), "Structural similarity of purified to clean image.")
SINGULAR_VALUE = Variable(
    "singular_value",
    ("draw", "image", "mode"),
    "Singular values of the purifier's Jacobian at the clean image, largest first.",
)
CLASSIFIED = Variable("classified", ("draw", "image"), "Whether the purified clean image is classified right.")
SURVIVED = Variable(
    "survived",
    ("attack", "radius", "draw", "image"),
    "Whether the attacked image is classified right under the randomness the attacker knew.",
)
SURVIVED_FRESH = Variable(
    "survived_fresh",
    ("attack", "radius", "draw", "image"),
    "Whether the attacked image is classified right under randomness the attacker never saw.",
)
GRADIENT_VANISHED = Variable(
    "gradient_vanished",
    ("draw", "image"),
    "Whether the attacker's gradient at the clean image is zero, so that survival says little.",
)
PURIFIED_IMAGE = Variable(
    "purified_image",
    ("draw", "image", "channel", "row", "column"),
    "The purified clean image.",
    "image range",
)

VARIABLES = {
    variable.name: variable
    for variable in (
        COMPRESSION_RATIO,
        L1,
        L2,
        LINF,
        PSNR,
        SSIM,
        SINGULAR_VALUE,
        CLASSIFIED,
        SURVIVED,
        SURVIVED_FRESH,
        GRADIENT_VANISHED,
        PURIFIED_IMAGE,
    )
}


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
