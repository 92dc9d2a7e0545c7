"""Images resampled along their rows and columns: by matrices, one pair per image."""

from typing import Literal, TypeAlias, get_args

import torch
from torch import Tensor

Method: TypeAlias = Literal["nearest", "bilinear"]


def check_method(who: str, method: str) -> None:
    """Raise unless there is such a method."""
    if method not in get_args(Method):
        msg = f"{who}.method must be one of {get_args(Method)}; got {method!r}."
        raise ValueError(msg)


def resampled(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Return images whose rows and columns are the given mixtures of theirs, matrices of shape (image, new, old)."""
    return torch.einsum("nri,nsj,ncij->ncrs", rows.to(images), columns.to(images), images)


def shrunk(size: int, length: Tensor, start: Tensor, method: Method) -> Tensor:
    """Return the matrices that squeeze a side of `size` pixels into `length` of them from `start`; others get nothing.

    They agree with `torch.nn.functional.interpolate`, half a pixel being the corner.
    """
    place = torch.arange(size, device=length.device) - start[:, None]
    inside = (place >= 0) & (place < length[:, None])
    first, last = torch.zeros_like(length), torch.full_like(length, size - 1)
    return _mixtures(size, _old(place, length, size, method), first, last) * inside[..., None]


def stretched(size: int, length: Tensor, start: Tensor, method: Method) -> Tensor:
    """Return the matrices that stretch `length` pixels from `start` to the whole side of `size`."""
    place = torch.arange(size, device=length.device).expand(len(length), -1)
    old = start[:, None] + _old(place, torch.full_like(length, size), length[:, None], method)
    return _mixtures(size, old, start, start + length - 1)


def _old(place: Tensor, new_length: Tensor, old_length: Tensor | int, method: Method) -> Tensor:
    """Return where new pixels lie among the old ones."""
    if method == "nearest":
        return torch.div(place * old_length, new_length[:, None], rounding_mode="floor").double()
    return (place + 0.5).double() * old_length / new_length[:, None] - 0.5


def _mixtures(size: int, old: Tensor, first: Tensor, last: Tensor) -> Tensor:
    """Return how much of every old pixel lies at a place between two of them; beyond the ends, the ends are taken."""
    place = old.maximum(first[:, None].double()).minimum(last[:, None].double())
    return (1 - (place[..., None] - torch.arange(size, device=old.device)).abs()).clamp(min=0)
