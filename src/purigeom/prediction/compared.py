"""All predictors on one table: in sample, with whole families left out, and how often their intervals cover."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from purigeom.fit.errors import Errors, errors
from purigeom.fit.held_out import Learn, coverage, held_out, nested_intervals, seen
from purigeom.fit.learners import mean_survival, sigmoid_of
from purigeom.prediction.reaches import at_face_value, calibrated
from purigeom.prediction.regression import geometry_regression

BELIEVED = "margin spread"
"""The one with an argument of its own and two numbers to learn; no predictor is chosen by its errors on the table."""
PREDICTORS: Mapping[str, Learn] = {
    BELIEVED: calibrated("margin_reach"),
    "moved pixels": calibrated("moved_reach"),
    "geometry": geometry_regression,
    "effective radius": calibrated("anchor_reach"),
    "both reaches": calibrated("margin_reach", "anchor_reach"),
    "compression": sigmoid_of("compression"),
}
"""What is said of a purifier, the one to be believed first."""
YARDSTICKS: Mapping[str, Learn] = {
    "constant": mean_survival,
    "effective radius, uncalibrated": at_face_value("anchor_reach"),
    "margin spread, uncalibrated": at_face_value("margin_reach"),
}
"""What predictors must beat: knowing nothing, and the same without any calibration."""
LEARNERS: Mapping[str, Learn] = {**PREDICTORS, **YARDSTICKS}
LEVEL = 0.9


@dataclass(frozen=True)
class Compared:
    """One predictor's errors in percentage points, in sample and without a purifier's family, and its coverage."""

    in_sample: Errors
    left_out: Errors
    coverage: float


def compared(name: str, table: xr.Dataset) -> Compared:
    """Try one predictor on the purifiers of a table that attacks were run on; NaN where these are too few for it."""
    learn, families = LEARNERS[name], table["family"].values.astype(str)
    known = seen(learn, table)
    ends = nested_intervals(learn, table, families, LEVEL)
    return Compared(
        errors(known, table, np.arange(len(families))),
        errors(held_out(learn, table, families), table, families),
        coverage(*ends, table["survival"].values),
    )


def unseen(name: str, table: xr.Dataset) -> xr.Dataset:
    """Return the table with what one predictor that saw no purifier of a family says of it, and its interval."""
    learn, families = LEARNERS[name], table["family"].values.astype(str)
    lower, upper = nested_intervals(learn, table, families, LEVEL)
    columns = {"predicted": held_out(learn, table, families), "lower": lower, "upper": upper}
    found = table.assign({column: ("purifier", values) for column, values in columns.items()})
    return found.assign_attrs(left_out="family", level=LEVEL)
