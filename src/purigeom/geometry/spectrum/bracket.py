"""Between which counts the number of large singular values must lie."""

import torch
from torch import Tensor
from torch.nn.functional import pad


def count_bracket(values: Tensor, remainder: Tensor, threshold: float, size: int) -> tuple[Tensor, Tensor]:
    """Return the fewest and the most singular values of J above a threshold.

    Parameters
    ----------
    values
        Singular values of J V for an orthonormal V, (image, mode), largest first. None exceeds the singular
        value of its place, so those above the threshold are a rigorous lower bound.
    remainder
        |J (I - V V')|_F^2 per image. To lift further values from where they are to the threshold takes
        threshold^2 - value^2 of it each; the upper bound is as good as this number is known.
    threshold
        What counts as large.
    size
        How many singular values J has.
    """
    fewest = (values > threshold).sum(-1)
    known = pad(values, (0, size - values.shape[-1])).square()
    needed = (threshold**2 - known).clamp(min=0).cumsum(-1)
    most = (needed <= remainder.unsqueeze(-1)).sum(-1)
    return fewest, torch.maximum(most, fewest)
