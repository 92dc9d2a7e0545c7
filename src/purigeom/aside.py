"""Set aside the images that a purifier breaks, and measure the others."""

import logging
from collections.abc import Callable
from typing import TypeVar

import xarray as xr

from purigeom.contract import BrokenImagesError
from purigeom.noise import Noise
from purigeom.protocols import Batch

Found = TypeVar("Found")
_LOG = logging.getLogger(__name__)


def without_broken(
    measure: Callable[[Batch, Noise], xr.Dataset], batch: Batch, noise: Noise
) -> tuple[xr.Dataset, dict[int, str]]:
    """Return facts of all images, NaN where the purifier breaks them, and what was said of these by image."""
    facts, told = of_whole_images(measure, batch, noise)
    return (_everyone(facts, batch) if told else facts), told


def of_whole_images(ask: Callable[[Batch, Noise], Found], batch: Batch, noise: Noise) -> tuple[Found, dict[int, str]]:
    """Return what is found of the images that the purifier does not break, and what was said of the others by image.

    A run that diverges is one image's fault: it is told in a warning, and no reason to lose the others. Where no image
    is left, what was said of the last is raised.
    """
    told: dict[int, str] = {}
    while True:
        whole = [place for place, image_id in enumerate(batch.image_ids) if image_id not in told]
        try:
            return (ask(batch, noise) if not told else ask(batch[whole], noise[whole])), told
        except BrokenImagesError as error:
            if set(error.image_ids) >= {batch.image_ids[place] for place in whole}:
                raise
            told |= dict.fromkeys(error.image_ids, str(error))
            _LOG.warning("Set aside: %s The other images are measured.", error)


def _everyone(facts: xr.Dataset, batch: Batch) -> xr.Dataset:
    """Return facts with the images that they lack, NaN, for which whole numbers and answers of yes or no make room."""
    roomy = facts.map(lambda one: one if one.dtype.kind == "f" else one.astype(float), keep_attrs=True)
    return roomy.reindex(image=list(batch.image_ids))
