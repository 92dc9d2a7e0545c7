"""How far predicted survival is from what was measured, in percentage points, with what groups leave uncertain."""

from dataclasses import dataclass

import numpy as np
import xarray as xr

MIDDLE = (0.1, 0.9)
"""Between these survivals a predictor has something to say; outside, any is right that knows which end."""
REPLICATES = 2000
LEVEL = 0.9


@dataclass(frozen=True)
class Error:
    """A mean absolute error in percentage points, with the ends of its interval, and over how many purifiers.

    NaN where nothing was predicted; the ends also where there is one group alone.
    """

    mean: float
    low: float
    high: float
    purifiers: int

    def __str__(self) -> str:
        """Return the mean and its interval, as far as they are known."""
        if not self.purifiers:
            return "unknown"
        return f"{self.mean:.1f}" if np.isnan(self.low) else f"{self.mean:.1f} ({self.low:.1f} to {self.high:.1f})"


@dataclass(frozen=True)
class Errors:
    """The error over all purifiers and over those of which 10 to 90 % survive.

    `missing` purifiers have no prediction, since nothing could be learnt without their group; they are in no error.
    """

    everywhere: Error
    middle: Error
    groups: int
    missing: int

    @property
    def sentence(self) -> str:
        """Say both errors in percentage points, and how many purifiers they leave out."""
        said = f"{self.everywhere}"
        if self.middle.purifiers:
            said += f", in the middle {self.middle}"
        return f"{said}, {self.missing} not predicted" if self.missing else said


def errors(predicted: np.ndarray, table: xr.Dataset, groups: np.ndarray, seed: int = 0) -> Errors:
    """Return the mean absolute errors of a prediction, with 90 % intervals from a bootstrap over groups."""
    survival = table["survival"].values
    missed = 100 * np.abs(predicted - survival)
    known = np.isfinite(missed)
    middle = known & (survival >= MIDDLE[0]) & (survival <= MIDDLE[1])
    return Errors(
        everywhere=_error(missed[known], groups[known], seed),
        middle=_error(missed[middle], groups[middle], seed),
        groups=len(np.unique(groups[known])),
        missing=int((~known).sum()),
    )


def _error(missed: np.ndarray, groups: np.ndarray, seed: int) -> Error:
    """Return the mean of what was missed, and the percentiles of means over groups drawn with replacement."""
    if not len(missed):
        return Error(float("nan"), float("nan"), float("nan"), 0)
    names, member = np.unique(groups, return_inverse=True)
    low = high = float("nan")
    if len(names) > 1:
        total, size = np.bincount(member, missed), np.bincount(member)
        drawn = np.random.default_rng(seed).integers(len(names), size=(REPLICATES, len(names)))
        means = total[drawn].sum(1) / size[drawn].sum(1)
        low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]).tolist()
    return Error(float(missed.mean()), low, high, len(missed))
