"""The rule for distances between points, which torch cannot differentiate forward by itself."""

from typing import Any

import torch
from torch import Tensor

from purigeom.geometry.dual.rows import Rules, rows


def _distances(x1: Any, x2: Any, p: float = 2.0, compute_mode: str = "use_mm_for_euclid_dist_if_necessary") -> Tensor:
    """Differentiate the norms of differences; the value is that of torch's own kernel, which may round otherwise."""
    apart: Any = torch.linalg.vector_norm(x1.unsqueeze(-2) - x2.unsqueeze(-3), p, -1)
    stack: Tensor = apart.stack.clone()
    first, second = (point if rows(point) is None else point.stack[0] for point in (x1, x2))
    stack[0] = torch.cdist(first, second, p, compute_mode)
    return stack


RULES: Rules = {torch.cdist: _distances}
