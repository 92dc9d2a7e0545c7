"""The leading singular values of one matrix per image, their vectors, and how far to trust them."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Triplets:
    """Approximate singular triplets s, u, v of matrices J, the largest first, with J v = s u to rounding.

    What the numbers promise, to rounding: no value exceeds the singular value of its place, values[i] <= sigma_i,
    and for every triplet J has *some* singular value within the residual of s. They do not promise that no
    singular value was passed over: a small residual at place i does not make s the i-th one.

    Attributes
    ----------
    left
        Orthonormal vectors u, of shape (image, row, mode).
    values
        Approximate singular values s, of shape (image, mode), descending.
    right
        Orthonormal vectors v, of shape (image, column, mode).
    residuals
        The lengths |J'u - s v|, of shape (image, mode).
    products
        How many vectors were pushed or pulled per image in all.
    """

    left: Tensor
    values: Tensor
    right: Tensor
    residuals: Tensor
    products: int

    def leading(self, count: int) -> "Triplets":
        """Return the first so many triplets."""
        left, values, right, residuals = (
            part[..., :count] for part in (self.left, self.values, self.right, self.residuals)
        )
        return Triplets(left, values, right, residuals, self.products)
