"""How many products it takes to know the leading values: ours, and what else there is."""

from collections.abc import Callable

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, svds
from torch import Tensor

from benchmarks.figure import Figure, at_most
from benchmarks.spectra import PROCEDURAL, Study, described, known
from purigeom.geometry.matrices import Dense
from purigeom.geometry.spectrum.lanczos import BLOCK, advanced, begun, leading_triplets, most_steps
from purigeom.geometry.spectrum.randomised import randomised_triplets
from purigeom.noise import Noise

COUNT = 20
WITHIN = 0.01
OVERSAMPLING = (0, 5, 10, 20, 40, 60, 80)
POWERS = range(9)
PROPACK_TOLERANCES = (1, 0.3, 0.1, 0.03, 0.01, 1e-3, 1e-4, 1e-6, 0)


def products_for_1pct_top20(study: Study = PROCEDURAL) -> Figure:
    """Count for block Lanczos."""
    return _median("products_for_1pct_top20", lanczos_products, f"block Lanczos, block {BLOCK}", study)


def products_for_1pct_top20_randomised(study: Study = PROCEDURAL) -> Figure:
    """Count for the randomised decomposition."""
    what = (
        f"randomised SVD, for every image the cheapest of widths {[COUNT + extra for extra in OVERSAMPLING]} and "
        f"{len(POWERS)} numbers of powers from 0 on, without the products for residuals"
    )
    return _median("products_for_1pct_top20.randomised", randomised_products, what, study)


def products_for_1pct_top20_propack(study: Study = PROCEDURAL) -> Figure:
    """Count for scipy."""
    what = f"scipy's svds by PROPACK, for every image the cheapest of the tolerances {PROPACK_TOLERANCES}"
    return _median("products_for_1pct_top20.propack", propack_products, what, study)


def _median(name: str, products: Callable[[Dense, Tensor, Noise], int | None], method: str, study: Study) -> Figure:
    """Return the median over the images, each asked for alone."""
    exact = known(study)
    counts = [
        products(Dense(exact.dense.values[place : place + 1]), exact.values[place : place + 1], Noise(0, (image_id,)))
        for place, image_id in enumerate(study.ids)
    ]
    reached = [count for count in counts if count is not None]
    how = (
        f"vectors pushed or pulled until the {COUNT} leading values are within {WITHIN:.0%} of the exact ones, by "
        f"{method}; median of {len(counts)} images, of which {len(reached)} got there: {sorted(reached)}; one start "
        f"each, on the full matrices; {described(study)}"
    )
    return at_most(name, float(np.median([np.inf if count is None else count for count in counts])), None, how)


def lanczos_products(matrices: Dense, exactly: Tensor, noise: Noise) -> int | None:
    """Return after how many products the run first knows the values."""
    run = begun(matrices, noise)
    for _ in range(most_steps(matrices, BLOCK)):
        run = advanced(matrices, run)
        if run.middle.shape[-1] >= COUNT and _close(leading_triplets(run, COUNT).values, exactly):
            return run.products
    return None


def randomised_products(matrices: Dense, exactly: Tensor, noise: Noise) -> int | None:
    """Return the fewest products with which a sketch knows the values."""
    counts = []
    for oversampling in OVERSAMPLING:
        for powers in POWERS:
            found = randomised_triplets(matrices, noise, COUNT, oversampling, powers)
            if _close(found.values, exactly):
                counts.append(found.products - COUNT)
                break
    return min(counts, default=None)


def propack_products(matrices: Dense, exactly: Tensor, noise: Noise) -> int | None:  # noqa: ARG001  PROPACK's own start
    """Return the fewest products with which PROPACK knows the values."""
    full = matrices.values[0].double().cpu().numpy()
    counts = []
    for tolerance in PROPACK_TOLERANCES:
        values, count = _propack(full, tolerance)
        if _close(torch.from_numpy(values)[None].to(exactly), exactly):
            counts.append(count)
    return min(counts, default=None)


def _propack(full: np.ndarray, tolerance: float) -> tuple[np.ndarray, int]:
    """Return what PROPACK takes for the leading values, and how many products it took."""
    made = []

    def product(matrix: np.ndarray, vector: np.ndarray) -> np.ndarray:
        made.append(1)
        return matrix @ vector

    operator = LinearOperator(
        full.shape,
        matvec=lambda vector: product(full, vector),
        rmatvec=lambda vector: product(full.T, vector),
        dtype=full.dtype,
    )
    values = svds(operator, COUNT, tol=tolerance, solver="propack", rng=0, return_singular_vectors=False)
    return np.sort(values)[::-1].copy(), len(made)


def _close(values: Tensor, exactly: Tensor) -> bool:
    wanted = exactly[:, :COUNT]
    return bool(((values.double() - wanted).abs() <= WITHIN * wanted).all())
