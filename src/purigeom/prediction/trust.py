"""Where a calibration ends: what of a new purifier it has never seen."""

from collections.abc import Iterator

import xarray as xr

from purigeom.prediction.table import bend

SEEN = {
    "compression": "compression ratio",
    "corner_compression": "compression of the ball's corners",
    "rank": "number of directions that a purified ball spreads over",
    "clean_accuracy": "accuracy on clean images",
    "bend": "bend of the margins",
}
"""What is compared, and what it is called."""


def extrapolations(table: xr.Dataset, new: xr.Dataset) -> tuple[str, ...]:
    """Return a sentence for everything in which one new purifier lies outside of what the table holds."""
    return tuple(_told(table, new))


def _told(table: xr.Dataset, new: xr.Dataset) -> Iterator[str]:
    families = sorted(set(table["family"].values.astype(str)))
    family = str(new["family"].values[0])
    if family not in families:
        yield f"Extrapolation: the family {family!r} is new; the calibration knows {', '.join(families)}."
    known, found = _measured(table), _measured(new)
    for name, noun in SEEN.items():
        low, high, value = known[name].min().item(), known[name].max().item(), found[name].values[0]
        if not low <= value <= high:
            yield f"Extrapolation: the {noun} is {value:.2g}; the calibration knows {low:.2g} to {high:.2g}."


def _measured(table: xr.Dataset) -> xr.Dataset:
    return table.assign(clean_accuracy=table["classified"].mean("sample"), bend=bend(table))
