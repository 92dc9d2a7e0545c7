"""How well a short run knows a spectrum that is known exactly."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from benchmarks.clock import device
from benchmarks.figure import Figure, at_most
from purigeom.catalog import PROCEDURAL_UNET
from purigeom.geometry.jacobian import Jacobian
from purigeom.geometry.matrices import Dense, Matrices
from purigeom.geometry.spectrum import exact
from purigeom.geometry.spectrum.adaptive import PartialSpectrum, Tolerance, partial_spectrum
from purigeom.noise import Noise
from purigeom.procedural import Procedural
from purigeom.protocols import RandomMap
from purigeom.purifiers.diffusion.ddpm import DDPM

THRESHOLD = 0.25
ALL_PRODUCTS = Tolerance(10, 1e-12, THRESHOLD, share=1e-9, root_mean_square=1e-9, most_products=104)
"""No run is this good: every one takes 12 steps of block 4, 96 products, and 8 pushes beyond its bases."""


@dataclass(frozen=True)
class Study:
    """A purifier, images small enough that every singular value can be known, and how often to start a run."""

    purifier: RandomMap
    images: Procedural
    starts: int = 10

    @property
    def ids(self) -> tuple[int, ...]:
        """Return the ids of the images."""
        return self.images.load().image_ids


PROCEDURAL = Study(DDPM(PROCEDURAL_UNET, depth=100, steps=20), Procedural()[:8])


@dataclass(frozen=True)
class Known:
    """Jacobians as operators and in full, and all their singular values, largest first."""

    jacobian: Jacobian
    dense: Dense
    values: Tensor


@cache
def known(study: Study) -> Known:
    """Compute every Jacobian of a study, once in a process: one draw of the purifier's noise, pinned."""
    batch = study.images.load()
    images = batch.images.to(device())
    jacobian = Jacobian(study.purifier.pin(Noise(0, batch.image_ids), tuple(images.shape[1:])), images)
    dense = exact.dense(jacobian)
    return Known(jacobian, dense, torch.linalg.svdvals(dense.values.double()))


@cache
def runs(study: Study) -> list[PartialSpectrum]:
    """Run from as many starts, on the full matrices: what an operator's products are, to rounding."""
    return [run(known(study).dense, study.ids, seed) for seed in range(study.starts)]


def run(matrices: Matrices, ids: tuple[int, ...], seed: int) -> PartialSpectrum:
    """Run from one start; the purifier's own noise stays what it is."""
    return partial_spectrum(matrices, Noise(seed, ids).child("lanczos"), ALL_PRODUCTS)


def top10_error(study: Study = PROCEDURAL) -> Figure:
    """Compare the ten leading values."""

    def error(found: PartialSpectrum) -> Tensor:
        exactly = known(study).values[:, :10]
        return ((found.leading.value.double() - exactly).abs() / exactly).amax(1)

    return _median("top10_error", error, 1e-4, "largest relative error of the ten leading values", study)


def share_error_points(study: Study = PROCEDURAL) -> Figure:
    """Compare the share of values below the threshold."""

    def error(found: PartialSpectrum) -> Tensor:
        return 100 * (found.share.value - (known(study).values < THRESHOLD).double().mean(1)).abs()

    what = f"error of the share of values below {THRESHOLD}, in percentage points"
    return _median("share_error_points", error, 1, what, study)


def rms_error(study: Study = PROCEDURAL) -> Figure:
    """Compare the root-mean-square compression."""

    def error(found: PartialSpectrum) -> Tensor:
        exactly = known(study).values.square().mean(1).sqrt()
        return (found.root_mean_square.value - exactly).abs() / exactly

    return _median("rms_error", error, 0.005, "relative error of the root-mean-square compression", study)


def _median(name: str, error: Callable[[PartialSpectrum], Tensor], goal: float, what: str, study: Study) -> Figure:
    """Return the median error over images and starts, and beside it how bad it gets."""
    found = runs(study)
    errors = torch.cat([error(one) for one in found])
    how = (
        f"{what}: median of {len(errors)} runs, {len(study.ids)} images and {study.starts} starts, of at most "
        f"{max(int(one.products.max()) for one in found)} products each; 90th percentile "
        f"{float(errors.quantile(0.9)):.2g}, maximum {float(errors.max()):.2g}; {described(study)}; "
        f"{_through_network(study, error, found[0])}"
    )
    return at_most(name, float(errors.quantile(0.5)), goal, how)


def described(study: Study) -> str:
    """Return what is studied, and how exactly it is known, in words."""
    size = known(study).values.shape[1]
    return (
        f"{study.purifier!r}, one draw, {len(study.ids)} procedural images, {size} dimensions; against all singular "
        f"values, of full Jacobians pushed in float32 and decomposed in float64 on {device()}"
    )


def _through_network(study: Study, error: Callable[[PartialSpectrum], Tensor], on_dense: PartialSpectrum) -> str:
    """Say how the runs from the first start do when every product goes through the network."""
    through = error(_operator_run(study))
    return (
        "runs on the full matrices; through the network itself, the first start gives "
        f"{', '.join(f'{float(one):.2g}' for one in through)} where the matrices give "
        f"{', '.join(f'{float(one):.2g}' for one in error(on_dense))}"
    )


@cache
def _operator_run(study: Study) -> PartialSpectrum:
    return run(known(study).jacobian, study.ids, 0)
