"""Predictions of purifiers that a calibration never saw, beside what attacks left of them."""

import numpy as np
import xarray as xr

from purigeom.calibration import sampler
from purigeom.prediction.answer import believed


def met(table: xr.Dataset, calibration: xr.Dataset) -> xr.Dataset:
    """Return what is believed of every stranger of a table, with its interval, and the survival that was measured.

    The first predictor of `predicted` is believed, as `purigeom predict` does.
    """
    table = strangers(table, calibration)
    answers = [believed(calibration, table.isel(purifier=[place])) for place in range(table.sizes["purifier"])]
    said = xr.concat([answer.isel(predictor=0, drop=True) for answer in answers], "purifier")
    return (
        table[["survival"]]
        .assign(
            predicted=said["survival"],
            lower=said["lower"],
            upper=said["upper"],
            believed=("purifier", [str(answer["predictor"].values[0]) for answer in answers]),
        )
        .assign_attrs(radius=calibration.attrs["radius"])
    )


def strangers(table: xr.Dataset, calibration: xr.Dataset) -> xr.Dataset:
    """Return the attacked purifiers of a kind, such as a sampler or a filter, that a calibration holds none of.

    Who withstood attacks that said nothing is left out.
    """
    known = {sampler(recipe) for recipe in calibration["recipe"].values.astype(str)}
    new = [sampler(recipe) not in known for recipe in table["recipe"].values.astype(str)]
    table = table.isel(purifier=table["survival"].notnull().values & new)
    if not table.sizes["purifier"]:
        msg = f"There are no strangers: the calibration knows every kind that was attacked, being of {sorted(known)}."
        raise ValueError(msg)
    return table


def joined(calibration: xr.Dataset, table: xr.Dataset) -> xr.Dataset:
    """Return a calibration that knows the strangers of a table as well, on the table's images.

    These must be the calibration's first. What it holds image by image is cut to them; its means stay those of all.
    """
    new, count = strangers(table, calibration), table.sizes["sample"]
    if count > calibration.sizes["sample"]:
        msg = f"A calibration of {calibration.sizes['sample']} samples cannot be joined to {count}: ask them of fewer."
        raise ValueError(msg)
    few = calibration.isel(sample=slice(count))
    few = few.assign(survival=few["survived"].mean("sample"), count=few["count"].clip(max=count))
    shared = [name for name in few.data_vars if name in new]
    parts = [one[shared].drop_vars(set(few.coords) ^ set(new.coords), errors="ignore") for one in (few, new)]
    return xr.concat(parts, "purifier", combine_attrs="override")


def missed(found: xr.Dataset) -> xr.DataArray:
    """Return how far predictions were off, in percentage points; above zero where too much was promised."""
    return 100 * (found["predicted"] - found["survival"])


def covered(found: xr.Dataset) -> np.ndarray:
    """Return whether each interval holds the survival that was measured."""
    inside: np.ndarray = ((found["lower"] <= found["survival"]) & (found["survival"] <= found["upper"])).values
    return inside
