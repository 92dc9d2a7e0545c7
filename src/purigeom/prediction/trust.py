"""Where a calibration ends: what of a new purifier it has never seen."""

from collections.abc import Iterator

import xarray as xr

from purigeom.identity import digest, recipe
from purigeom.prediction.table import bend
from purigeom.protocols import Classifier

SEEN = {
    "compression": "compression ratio",
    "corner_compression": "compression of the ball's corners",
    "rank": "number of directions that a purified ball spreads over",
    "clean_accuracy": "accuracy on clean images",
    "bend": "bend of the margins",
}
"""What is compared, and what it is called."""
SLACK = 0.05
"""How far beyond the calibration's range, relative to it, a few images may lie by chance."""
APART = 0.25
"""How far predictors may be apart before that is said."""


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
        slack = SLACK * (high - low)
        if not low - slack <= value <= high + slack:
            yield f"Extrapolation: the {noun} is {value:.2g}; the calibration knows {low:.2g} to {high:.2g}."


def _measured(table: xr.Dataset) -> xr.Dataset:
    return table.assign(clean_accuracy=table["classified"].mean("sample"), bend=bend(table))


def disagreement(predictions: xr.Dataset) -> tuple[str, ...]:
    """Return a sentence where those who look at images differ by much: they do not err alike."""
    seen = predictions["survival"].drop_sel(predictor="compression")
    low, high = float(seen.min()), float(seen.max())
    if not high - low > APART:
        return ()
    return (f"The predictors disagree, from {low:.0%} to {high:.0%}: this purifier is unlike what they agree on.",)


def check_alike(table: xr.Dataset, classifier: Classifier, image_shape: tuple[int, ...]) -> None:
    """Raise unless images and classifier are of the kind that the calibration was made with."""
    made_with = table.attrs.get("image_shape", list(image_shape))
    if list(image_shape) != list(made_with):
        msg = f"This calibration is of images of shape {tuple(made_with)}; got {image_shape}. Make one by `calibrate`."
        raise ValueError(msg)
    known = table.attrs.get("classifier_digest")
    if known is not None and known != _digested(classifier):
        msg = (
            f"This calibration is of the classifier {table.attrs['classifier']}; got {classifier!r}. Make one by "
            "`purigeom calibrate`."
        )
        raise ValueError(msg)


def _digested(classifier: Classifier) -> str:
    """Return what tells a classifier from others; nothing where that cannot be told."""
    try:
        return digest(recipe(classifier))
    except TypeError:
        return ""
