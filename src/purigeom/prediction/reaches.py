"""Learners that see images: who survives where an attack's reach, as forward passes tell it, ends before boundaries."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import xarray as xr
from scipy.optimize import minimize
from scipy.special import expit, log_expit

from purigeom.fit.held_out import Learn, Predict
from purigeom.fit.points import Floats

FAR = 6.0
"""Beyond this logarithm, either way, one reach is as good as another."""
STEEPEST = 50.0


def at_face_value(name: str) -> Learn:
    """Return the learner that learns nothing: an image survives where its reach is above one."""

    def learn(_: xr.Dataset) -> Predict:
        return lambda new: _share(new[name].values, new[name].values > 1)

    return learn


def calibrated(*names: str) -> Learn:
    """Return the learner of how likely an image is to survive, a logistic function of its reaches' logarithms.

    An image whose anchor is wrong has no reach and is lost. Every family has the same weight, and so has every
    purifier of it.
    """
    return partial(_learn, names)


def _learn(names: Sequence[str], table: xr.Dataset) -> Predict:
    reach, survived = _reaches(names, table), table["survived"].values
    known = np.isfinite(survived) & (reach > 0).all(0)
    if not known.any():
        msg = f"Nothing can be learnt from {names}: no image of {table.sizes['purifier']} purifiers has a reach."
        raise ValueError(msg)
    weight = np.broadcast_to(_weights(table, known), known.shape)[known]
    slopes = logistic(_logarithm(reach)[:, known], survived[known], weight)
    return lambda new: _share(new[names[0]].values, chances(_reaches(names, new), slopes))


def _weights(table: xr.Dataset, known: np.ndarray) -> Floats:
    """Return every purifier's weight for each of its known images, (purifier, 1)."""
    _, family, size = np.unique(table["family"].values.astype(str), return_inverse=True, return_counts=True)
    weights: Floats = 1 / (size[family] * np.maximum(1, known.sum(1)))
    return weights[:, None]


def chances(reach: Floats, slopes: Floats) -> Floats:
    """Return how likely images of known reaches, first dimension, are to survive; zero where there is none."""
    level, *each = slopes
    logits = level + np.tensordot(np.array(each), _logarithm(reach), 1)
    return np.where((reach > 0).all(0), expit(logits), 0.0)


def logistic(places: Floats, outcomes: Floats, weight: Floats) -> Floats:
    """Return level and slopes of the likeliest logistic function that falls along none of its places."""

    def lost(slopes: Floats) -> tuple[float, Floats]:
        logits = slopes[0] + slopes[1:] @ places
        missed = weight * (expit(logits) - outcomes)
        likelihood = outcomes * log_expit(logits) + (1 - outcomes) * log_expit(-logits)
        return -float(np.sum(weight * likelihood)), np.array([missed.sum(), *(places @ missed)])

    count = len(places)
    bounds = [(-STEEPEST, STEEPEST), *[(0, STEEPEST)] * count]
    found: Floats = minimize(lost, np.ones(1 + count), method="L-BFGS-B", jac=True, bounds=bounds).x
    return found


def _reaches(names: Sequence[str], table: xr.Dataset) -> Floats:
    return np.stack([table[name].values for name in names])


def _logarithm(reach: Floats) -> Floats:
    logarithm: Floats = np.clip(np.log(np.clip(np.nan_to_num(reach), 1e-12, 1e12)), -FAR, FAR)
    return logarithm


def _share(reach: Floats, survive: np.ndarray) -> Floats:
    """Return the share of samples that survive, of those that are known."""
    known = ~np.isnan(reach)
    count = known.sum(1)
    share: Floats = np.where(count > 0, np.where(known, survive, 0.0).sum(1) / np.maximum(1, count), np.nan)
    return share
