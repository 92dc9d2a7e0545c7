"""As much of a spectrum as is asked for: products until the tolerance is met, and an error beside each number."""

import math

import torch
from torch import Tensor
from torch.nn.functional import pad

from purigeom.geometry.matrices import Matrices
from purigeom.geometry.spectrum.deflation import FEWEST, remainder
from purigeom.geometry.spectrum.lanczos import (
    BLOCK,
    Bidiagonal,
    advanced,
    begun,
    leading_triplets,
    most_steps,
)
from purigeom.geometry.spectrum.partial import Estimate, PartialSpectrum, Tolerance, rounding, roundings
from purigeom.geometry.spectrum.share import bracketed_share, quadrature_share
from purigeom.geometry.spectrum.triplets import Triplets
from purigeom.geometry.spectrum.whole import from_whole
from purigeom.noise import Noise

__all__ = ["Estimate", "PartialSpectrum", "Tolerance", "partial_spectrum"]


def partial_spectrum(matrices: Matrices, noise: Noise, tolerance: Tolerance, block: int = BLOCK) -> PartialSpectrum:
    """Bidiagonalise until leading values and share meet their tolerance, then push on for the norm.

    An image's numbers are those of the step at which it met its tolerance, whatever the images beside it need. Matrices
    with no more columns than half of the products that are allowed are pushed whole: that costs less than a run.
    """
    _check_images(matrices)
    if matrices.shape[2] <= tolerance.most_products // 2:
        return from_whole(matrices, tolerance)
    block = min(block, *matrices.shape[1:])
    run, steps = _run(matrices, noise, tolerance, block)
    runs = [run.of_image(place).after(count) for place, count in enumerate(steps)]
    left = torch.tensor([tolerance.most_products - one.products for one in runs], device=matrices.like.device)
    beyond = remainder(matrices, runs, noise.child("beyond"), tolerance.root_mean_square, left)
    shares = [bracketed_share(one, beyond.of_image(place), tolerance.threshold) for place, one in enumerate(runs)]
    share, share_error, least, most = (torch.cat(parts) for parts in zip(*shares, strict=True))
    root, root_error = beyond.root_mean_square(matrices.shape[2])
    root_error = root_error + rounding(matrices.like)
    participation, participation_error = beyond.participation_ratio(runs)
    count = min(tolerance.count, *(one.middle.shape[-1] for one in runs))
    triplets = _joined([leading_triplets(one, count) for one in runs])
    leading_error = torch.cat([leading_errors(one, count) for one in runs]) + roundings(triplets.values)
    enough = count == min(tolerance.count, *matrices.shape[1:])
    return PartialSpectrum(
        Estimate(triplets.values, leading_error, (leading_error <= tolerance.leading).all(1) & enough),
        Estimate(share, share_error, share_error <= tolerance.share),
        least,
        most,
        Estimate(root, root_error, root_error <= tolerance.root_mean_square),
        participation,
        participation_error + 4 * rounding(matrices.like),
        triplets,
        beyond.products + torch.tensor([one.products for one in runs], device=matrices.like.device),
    )


def _check_images(matrices: Matrices) -> None:
    if not matrices.shape[0]:
        msg = "A spectrum needs at least one image; got an empty batch."
        raise ValueError(msg)


def leading_errors(run: Bidiagonal, count: int) -> Tensor:
    """Return how far each leading value may be off, relative to itself: by its residual, or less where a gap helps.

    A value of residual r is within r of a singular value, and within r^2 / (2 gap) where the squared values next
    to it lie further away than the gap (Parlett 1998, for J'J).
    """
    known = leading_triplets(run, count + 1)
    values, residuals = (part.double()[:, :count] for part in (known.values, known.residuals))
    squares = known.values.double().square()
    squares = pad(squares, (0, values.shape[1] + 1 - squares.shape[1]))
    steps = squares[:, :-1] - squares[:, 1:]
    gap = torch.minimum(pad(steps[:, :-1], (1, 0), value=math.inf), steps)
    error = torch.minimum(residuals / values, residuals.square() / (2 * gap))
    return error.where(residuals > 0, 0)


def _run(matrices: Matrices, noise: Noise, tolerance: Tolerance, block: int) -> tuple[Bidiagonal, list[int]]:
    """Return the longest run, and after how many of its steps each image had met the tolerance."""
    run = begun(matrices, noise, block)
    last = min((tolerance.most_products - FEWEST) // (2 * block), most_steps(matrices, block))
    if last < 1:
        msg = f"Tolerance.most_products must allow a step of {2 * block} and {FEWEST} more; got {tolerance}."
        raise ValueError(msg)
    stopped = [last] * matrices.shape[0]
    for step in range(1, last + 1):
        run = advanced(matrices, run)
        met = _met(run, tolerance, min(matrices.shape[1:]))
        stopped = [min(before, step) if now else before for before, now in zip(stopped, met, strict=True)]
        if all(met):
            break
    return run, stopped


def _met(run: Bidiagonal, tolerance: Tolerance, size: int) -> list[bool]:
    if run.middle.shape[-1] < min(tolerance.count, size) or run.steps < 2:
        return [False] * len(run.middle)
    leading = (leading_errors(run, tolerance.count) <= tolerance.leading).all(1)
    _, error = quadrature_share(run, tolerance.threshold)
    return [bool(met) for met in leading & (error <= tolerance.share)]


def _joined(found: list[Triplets]) -> Triplets:
    left, values, right, residuals = (
        torch.cat([getattr(one, name) for one in found]) for name in ("left", "values", "right", "residuals")
    )
    return Triplets(left, values, right, residuals, max(one.products for one in found))
