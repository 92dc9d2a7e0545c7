"""What is asked of a partial spectrum, answered from the whole matrix: nothing is off but by rounding."""

import torch

from purigeom.geometry.matrices import Matrices
from purigeom.geometry.spectrum import directions, exact
from purigeom.geometry.spectrum.partial import Estimate, PartialSpectrum, Tolerance, rounding, roundings


def from_whole(matrices: Matrices, tolerance: Tolerance) -> PartialSpectrum:
    """Answer from the whole matrices: nothing is off but by rounding."""
    found = exact.singular_triplets(matrices)
    values, errors = found.values.double(), roundings(found.values)
    count, columns = min(tolerance.count, values.shape[1]), matrices.shape[2]
    edge = rounding(matrices.like) * values[:, :1].clamp(min=tolerance.threshold)
    missing = columns - values.shape[1]
    least, share, most = (
        ((values < tolerance.threshold + move).sum(1) + missing).double() / columns for move in (-edge, 0, edge)
    )
    root = (values.square().sum(1) / columns).sqrt()
    zero = torch.full_like(root, rounding(matrices.like))
    return PartialSpectrum(
        Estimate(found.values[:, :count], errors[:, :count], (errors[:, :count] <= tolerance.leading).all(1)),
        Estimate(share, most - least, most - least <= tolerance.share),
        least,
        most,
        Estimate(root, zero, zero <= tolerance.root_mean_square),
        directions.participation_ratio(values),
        4 * zero,
        found.leading(count),
        torch.full_like(root, columns, dtype=torch.int64),
    )
