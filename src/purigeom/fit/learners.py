"""Predictors of survival that need a handful of purifiers: a sigmoid of one number, and the mean."""

from collections.abc import Callable
from functools import partial

import numpy as np
import xarray as xr

from purigeom.fit.held_out import Learn, Predict
from purigeom.fit.intervals import curve, prediction_interval
from purigeom.fit.points import Floats
from purigeom.fit.sigmoid import SigmoidFit, fit_sigmoid


def sigmoid_of(name: str, ceiling: float | None = None, floor: float | None = 0.0) -> Learn:
    """Return the learner that fits the sigmoid of one variable of the table, with `count` images per purifier.

    Purifiers of which the variable is not known are left out, and predicted as NaN.
    """
    return partial(_learn, name, partial(_fit, ceiling=ceiling, floor=floor), _mean)


def sigmoid_ends(name: str, level: float = 0.9) -> tuple[Learn, Learn]:
    """Return the learners of the low and of the high end of the prediction interval of `sigmoid_of`."""
    fit = partial(_fit, ceiling=None, floor=0.0)
    return partial(_learn, name, fit, partial(_end, 1, level)), partial(_learn, name, fit, partial(_end, 2, level))


def mean_survival(table: xr.Dataset) -> Predict:
    """Learn the mean over purifiers, weighted by their images: what knows nothing of a purifier predicts."""
    if not table.sizes["purifier"]:
        msg = "mean_survival needs at least one purifier; got none."
        raise ValueError(msg)
    mean = float(np.average(table["survival"].values, weights=table["count"].values))
    return lambda new: np.full(new.sizes["purifier"], mean)


def _learn(
    name: str,
    fit: Callable[[Floats, xr.Dataset], SigmoidFit],
    read: Callable[[SigmoidFit, Floats, xr.Dataset], Floats],
    table: xr.Dataset,
) -> Predict:
    """Fit where the variable is known; return what reads the fit off."""
    known = table.isel(purifier=np.isfinite(table[name].values))
    fitted = fit(known[name].values, known)

    def predict(new: xr.Dataset) -> np.ndarray:
        places = new[name].values.astype(float)
        return np.where(np.isfinite(places), read(fitted, np.nan_to_num(places), new), np.nan)

    return predict


def _fit(places: Floats, table: xr.Dataset, ceiling: float | None, floor: float | None) -> SigmoidFit:
    return fit_sigmoid(places, table["survival"].values, table["count"].values, ceiling, floor)


def _mean(fit: SigmoidFit, places: Floats, _: xr.Dataset) -> Floats:
    return curve(fit, places)[0]


def _end(side: int, level: float, fit: SigmoidFit, places: Floats, new: xr.Dataset) -> Floats:
    return prediction_interval(fit, places, new["count"].values, level)[side]
