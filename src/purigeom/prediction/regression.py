"""A regularised regression on everything forward passes tell, which must earn its keep by held-out error."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xarray as xr

from purigeom.fit.angles import angle, share_of
from purigeom.fit.held_out import Predict
from purigeom.fit.points import Floats
from purigeom.prediction.reaches import calibrated
from purigeom.prediction.table import bend

PENALTIES = tuple(10.0**power for power in range(-1, 5))


def geometry_regression(table: xr.Dataset) -> Predict:
    """Learn the angle of survival by ridge regression; the penalty is the one that misses families left out least."""
    names, target = table["family"].values.astype(str), angle(table["survival"].values)
    splits = [_split(table, target, names == name) for name in np.unique(names) if not (names == name).all()]
    penalty = min(PENALTIES, key=lambda one: sum(split.missed(one) for split in splits))
    reaches = calibrated("moved_reach")(table)
    slopes = ridge(features(table, reaches), target, penalty)

    def predict(new: xr.Dataset) -> np.ndarray:
        found = share_of(slopes(features(new, reaches)))
        return np.minimum(found, new["classified"].mean("sample").values)

    return predict


@dataclass(frozen=True)
class Split:
    """What is seen of the purifiers outside and inside a family, and how they fare."""

    outside: Floats
    learnt: Floats
    inside: Floats
    wanted: Floats

    def missed(self, penalty: float) -> float:
        """Return the sum of absolute misses inside the family."""
        found = share_of(ridge(self.outside, self.learnt, penalty)(self.inside))
        return float(np.abs(found - share_of(self.wanted)).sum())


def _split(table: xr.Dataset, target: Floats, inside: np.ndarray) -> Split:
    out, held = table.isel(purifier=~inside), table.isel(purifier=inside)
    reaches = calibrated("moved_reach")(out)
    return Split(features(out, reaches), target[~inside], features(held, reaches), target[inside])


def ridge(seen: Floats, target: Floats, penalty: float) -> Callable[[Floats], Floats]:
    """Return the ridge regression of one penalty, on features in units of their spread; the level is free."""
    centre, spread, level = seen.mean(0), seen.std(0) + 1e-9, target.mean()
    standard = (seen - centre) / spread
    slopes = np.linalg.solve(standard.T @ standard + penalty * np.eye(seen.shape[1]), standard.T @ (target - level))
    return lambda new: level + (new - centre) / spread @ slopes


def features(table: xr.Dataset, reaches: Predict) -> Floats:
    """Return what the regression sees, (purifier, feature)."""
    mean = table[["classified", "random_kept"]].mean("sample")
    columns = [
        angle(reaches(table)),
        *(angle((table["moved_reach"] > above).mean("sample").values) for above in (1, 2)),
        angle((table["anchor_reach"] > 1).mean("sample").values),
        *(np.log(table[name].clip(1e-3).values) for name in ("compression", "corner_compression", "small_compression")),
        np.log(table["rank"].fillna(1).values),
        angle(mean["classified"].values),
        angle(mean["random_kept"].values),
        np.log(bend(table).fillna(1).values),
    ]
    return np.stack(columns, 1)
