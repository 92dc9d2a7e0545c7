"""Where numbers along a line change their sign."""

import torch
from torch import Tensor


def crossings(distances: Tensor, margins: Tensor) -> tuple[Tensor, Tensor]:
    """Return at what distance margins first turn negative, and where they next turn positive again.

    Between two distances margins count as linear. Margins that are negative at the first distance turn there; NaN says
    that none turns within the scan.

    Parameters
    ----------
    distances
        Rising, (distance,).
    margins
        At each of them, (distance, ...).

    Examples
    --------
    >>> crossings(torch.tensor([0.0, 1.0, 2.0, 3.0]), torch.tensor([[1.0], [-1.0], [-1.0], [3.0]]))
    (tensor([0.5000]), tensor([2.2500]))
    """
    negative = margins < 0
    before = torch.cat([torch.zeros_like(negative[:1]), negative[:-1]])
    return _first(negative & ~before, distances, margins), _first(before & ~negative, distances, margins)


def _first(turned: Tensor, distances: Tensor, margins: Tensor) -> Tensor:
    """Return where the line between the first turned margin and the one before it is zero."""
    place = turned.int().argmax(0)
    before = (place - 1).clamp(min=0)
    far, near = (margins.gather(0, index.unsqueeze(0)).squeeze(0) for index in (place, before))
    step = distances[place] - distances[before]
    part = torch.where(step > 0, near / (near - far), 0)
    return torch.where(turned.any(0), distances[before] + step * part, torch.nan)
