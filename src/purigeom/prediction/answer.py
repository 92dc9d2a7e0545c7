"""A predicted robust accuracy, by every predictor, with what speaks for and against it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape

import numpy as np
import xarray as xr

from purigeom.fit.angles import angle, share_of
from purigeom.fit.held_out import Learn, asked, jackknife_plus
from purigeom.prediction.compared import LEVEL, PREDICTORS
from purigeom.prediction.kin import kin, kinds
from purigeom.prediction.regression import geometry_regression

AMONG_KIN = "geometry of kin"
"""What a regression says that has learnt from purifiers of the same family and network alone."""


@dataclass(frozen=True)
class Prediction:
    """Predicted robust accuracy of one purifier that nobody attacked.

    Attributes
    ----------
    predictions
        `survival`, `lower` and `upper` by `predictor`; the ends come from how far families left out were missed.
    best
        The predictor that is to be believed: a regression on purifiers of the same family and network where there are
        enough of them, else margin spread.
    warnings
        What of this purifier the calibration has never seen, and whether images ran out.
    table
        What was measured of it.
    purifications, classifier_calls
        Forward passes through the purifier, and evaluations of the bare classifier of each image.
    seconds
        How long measuring took.
    """

    predictions: xr.Dataset
    best: str
    warnings: tuple[str, ...]
    table: xr.Dataset
    purifications: int
    classifier_calls: float
    seconds: float

    @property
    def survival(self) -> float:
        """The best predictor's robust accuracy."""
        return float(self.predictions["survival"].sel(predictor=self.best))

    @property
    def interval(self) -> tuple[float, float]:
        """The ends of its 90 % interval."""
        chosen = self.predictions.sel(predictor=self.best)
        return float(chosen["lower"]), float(chosen["upper"])

    def __str__(self) -> str:
        """Say what is predicted, by whom, from what, and what speaks against it."""
        lines = [f"  {name:18} {survival:>6} ({low} to {high})" for name, survival, low, high in self._each()]
        return "\n".join([*self._told(), *lines, *self.warnings])

    def _repr_html_(self) -> str:
        """Say the same to a notebook: a table with the best predictor in bold, and warnings below."""
        told = "".join(f"<p>{escape(sentence)}</p>" for sentence in self._told())
        heads = "".join(f'<th scope="col">{head}</th>' for head in ("predictor", "robust accuracy", "90 % interval"))
        rows = "".join(_html_row(name == self.best, name, *shares) for name, *shares in self._each())
        warned = "".join(f"<li>{escape(sentence)}</li>" for sentence in self.warnings)
        table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        return f"<div>{told}{table}{f'<ul>{warned}</ul>' if warned else ''}</div>"

    def _told(self) -> tuple[str, str]:
        low, high = self.interval
        return (
            f"Predicted robust accuracy at linf radius {self.table.attrs['radius']:g}: {self.survival:.1%}, 90 % "
            f"interval {low:.1%} to {high:.1%}, by {self.best}.",
            f"{int(self.table['count'].item())} images, {self.purifications} purifications each, no gradient through "
            f"the purifier; {self.classifier_calls:.0f} evaluations of the bare classifier each; {self.seconds:.0f} s.",
        )

    def _each(self) -> Iterator[tuple[str, str, str, str]]:
        """Yield every predictor with what it predicts, and from where to where, in words."""
        for name in self.predictions["predictor"].values:
            one = self.predictions.sel(predictor=name)
            survival, low, high = (_percent(one[column].item()) for column in ("survival", "lower", "upper"))
            yield str(name), survival, low, high


def _percent(share: float) -> str:
    return f"{share:.1%}" if np.isfinite(share) else "unknown"


def _html_row(bold: bool, name: str, survival: str, low: str, high: str) -> str:
    cells = [escape(name), survival, f"{low} to {high}"]
    cells = [f"<b>{cell}</b>" for cell in cells] if bold else cells
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def predicted(calibration: xr.Dataset, new: xr.Dataset) -> xr.Dataset:
    """Return what every predictor says of one purifier, the one to be believed first.

    Where the calibration knows enough purifiers of the same family and network, a regression on these alone speaks
    first, with the interval of samplers left out; the others have learnt from all, and leave families out.
    """
    return _table(dict(_rows(calibration, new)))


def believed(calibration: xr.Dataset, new: xr.Dataset) -> xr.Dataset:
    """Return what the predictor to be believed says of one purifier; no other is asked."""
    return _table(dict([next(_rows(calibration, new))]))


def _table(rows: Mapping[str, list[float]]) -> xr.Dataset:
    columns = zip(("survival", "lower", "upper"), np.array(list(rows.values())).T, strict=True)
    return xr.Dataset({name: ("predictor", values) for name, values in columns}, coords={"predictor": list(rows)})


def _rows(calibration: xr.Dataset, new: xr.Dataset) -> Iterator[tuple[str, list[float]]]:
    """Yield what each predictor says, the one to be believed first."""
    families, relatives = calibration["family"].values.astype(str), kin(calibration, new)
    if relatives is not None:
        yield AMONG_KIN, _row(geometry_regression, relatives, kinds(relatives), new)
    for name, learn in PREDICTORS.items():
        yield name, _row(learn, calibration, families, new)


def _row(learn: Learn, table: xr.Dataset, groups: np.ndarray, new: xr.Dataset) -> list[float]:
    """Return what one predictor says, and the ends of its interval; NaN where it cannot learn."""
    ends = _for_fewer_images(np.array(jackknife_plus(learn, table, groups, new, LEVEL)), table, new)
    survival = asked(learn, table, new)[0].item()
    return [survival, *(ends[:, 0] if np.isfinite(survival) else (np.nan, np.nan))]


def _for_fewer_images(ends: np.ndarray, calibration: xr.Dataset, new: xr.Dataset) -> np.ndarray:
    """Return an interval widened for images fewer than the calibration's.

    The angle asin(sqrt(share)) of n images scatters by 1 / (2 sqrt(n)); what the calibration's own images scatter is in
    its misses already. Variances add.
    """
    extra = max(0.0, 1 / float(new["count"].item()) - 1 / float(calibration["count"].median()))
    low, high = angle(ends)
    half, centre = (high - low) / 2, (high + low) / 2
    reach = np.hypot(half, 1.645 * 0.5 * np.sqrt(extra))
    return share_of(np.array([centre - reach, centre + reach]))
