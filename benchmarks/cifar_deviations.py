"""How far bfloat16 moves every reported quantity from full precision, on the same pinned configuration."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from benchmarks.cifar_cases import DEPTH, PRECISIONS, RADIUS, SHAPE, Case, NotHereError, here
from benchmarks.clock import device
from benchmarks.figure import Figure, at_most
from purigeom.answering import on_device
from purigeom.attacks.pgd import PGD
from purigeom.geometry.spectrum.adaptive import Tolerance
from purigeom.images import Cifar
from purigeom.measurements.compression import Compression
from purigeom.measurements.distances import Distances
from purigeom.measurements.leading_spectrum import LeadingSpectrum
from purigeom.measurements.margins import Margins
from purigeom.measurements.survival import Survival
from purigeom.networks.classifier import ConvNet
from purigeom.noise import Noise
from purigeom.procedural import Procedural
from purigeom.protocols import Batch, Classifier, Measurement
from purigeom.schema import ANCHOR_MARGIN, COMPRESSION_RATIO, L2, LEADING_SINGULAR_VALUE, SHARE_BELOW, SURVIVED

Facts: TypeAlias = NDArray[np.float64]

CLASSIFIER = "cifar10-classifier"
REAL = "CIFAR-10 test images"
MOST_PRODUCTS = 160
"""No tolerance is met sooner, so that both answers take as many."""
STEPS = 10
"""Of the purifier."""


@dataclass(frozen=True)
class Quantity:
    """A variable that is reported, the question that it answers, and how two answers are compared."""

    variable: str
    question: Callable[[], Measurement]
    images: int
    apart: Callable[[Facts, Facts], Facts]
    unit: str
    labelled: bool = False


def relative(full: Facts, narrow: Facts) -> Facts:
    """Return every difference over what it should be."""
    return np.abs(narrow - full) / np.abs(full)


def absolute(full: Facts, narrow: Facts) -> Facts:
    """Return every difference."""
    return np.abs(narrow - full)


def points(full: Facts, narrow: Facts) -> Facts:
    """Return every difference of shares in percentage points."""
    return 100 * np.abs(narrow - full)


def points_of_mean(full: Facts, narrow: Facts) -> Facts:
    """Return the difference of the shares of images, in percentage points."""
    return points(full.mean(keepdims=True), narrow.mean(keepdims=True))


def classifier() -> Classifier:
    """Return the repository's classifier; raise where it is not here."""
    if not here(CLASSIFIER):
        msg = f"It needs the classifier {CLASSIFIER!r}, which is not here: `python -m analyses.train_cifar` makes it."
        raise NotHereError(msg)
    return ConvNet(CLASSIFIER)


def spectrum() -> Measurement:
    """Return the question about singular values."""
    return LeadingSpectrum(Tolerance(leading=1e-9, share=1e-9, root_mean_square=1e-9, most_products=MOST_PRODUCTS))


QUANTITIES: Mapping[str, Quantity] = {
    "compression_ratio": Quantity(
        COMPRESSION_RATIO.name, lambda: Compression(radii=(RADIUS,)), 16, relative, "relative"
    ),
    "distance": Quantity(L2.name, Distances, 16, relative, "relative"),
    "leading_singular_value": Quantity(LEADING_SINGULAR_VALUE.name, spectrum, 1, relative, "relative"),
    "share_below": Quantity(SHARE_BELOW.name, spectrum, 1, points, "percentage points"),
    "margin": Quantity(
        ANCHOR_MARGIN.name, lambda: Margins(classifier(), (RADIUS,), pairs=1), 16, absolute, "logits", labelled=True
    ),
    "survival": Quantity(
        SURVIVED.name,
        lambda: Survival(classifier(), (RADIUS,), PGD(20)),
        16,
        points_of_mean,
        "percentage points of all images",
        labelled=True,
    ),
}


def deviation(name: str, case: Case) -> Figure:
    """Ask in full precision and in bfloat16, and compare."""
    asked = QUANTITIES[name]
    question: Any = asked.question()
    _check_images(asked)
    full, narrow = (facts(case, way, question, asked.images)[asked.variable].values for way in PRECISIONS)
    gaps = asked.apart(full.astype(np.float64), narrow.astype(np.float64))
    how = (
        f"{asked.variable} in bfloat16 against full precision, {asked.unit}: median of {gaps.size}; worst "
        f"{gaps.max():.3g}; in full precision median {np.median(full):.4g}, mean {full.mean():.4g}; {question!r}, "
        f"{asked.images} {images(asked.images)[1]}, DDPM at depth {DEPTH} in {STEPS} steps, one pinned configuration; "
        f"{case.words}, on {device()}"
    )
    return at_most(f"deviation.{name}", float(np.median(gaps)), None, how)


@cache
def facts(case: Case, way: str, question: Measurement, count: int) -> xr.Dataset:
    """Return the answer in one precision."""
    batch, _ = images(count)
    return question(case.purifier(way, STEPS), batch, Noise(0, batch.image_ids))


@cache
def images(count: int) -> tuple[Batch, str]:
    """Return CIFAR-10's first test images where they are, else procedural ones, and what they are."""
    try:
        batch, which = Cifar("cifar10")[:count].load(), REAL
    except FileNotFoundError:
        batch, which = Procedural(count, size=SHAPE[-1]).load(), "procedural images"
    return on_device(batch, str(device()), "float32"), which


def _check_images(asked: Quantity) -> None:
    """Raise where a classifier would see other images than it was trained on."""
    if asked.labelled and images(asked.images)[1] != REAL:
        msg = f"It needs {REAL}, which are not here: docs/images.md says where they are looked for."
        raise NotHereError(msg)
