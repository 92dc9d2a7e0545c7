"""In how many bits the networks of purifiers compute, and on how many rows at a time."""

from functools import partial
from typing import Any, cast, get_args

from purigeom.networks.quick import Precision, with_networks, with_quick_networks
from purigeom.networks.steady import steady
from purigeom.protocols import RandomMap
from purigeom.purifiers.wrapped import Wrapped
from purigeom.settings import is_whole


def quickened(purifier: RandomMap, precision: str) -> RandomMap:
    """Return a purifier whose diffusion networks, and those of its parts, compute in another precision.

    Examples
    --------
    >>> from purigeom.networks.unet import UNet
    >>> from purigeom.purifiers.diffusion.ddim import OneShot
    >>> quickened(OneShot(UNet("digits-ddpm"), depth=30), "bfloat16").network.precision
    'bfloat16'
    """
    if precision not in get_args(Precision):
        msg = f"A precision must be one of {get_args(Precision)}; got {precision!r}."
        raise ValueError(msg)
    if precision == "full":
        return purifier
    found: RandomMap = with_quick_networks(purifier, cast(Precision, precision))
    if found == purifier:
        msg = (
            f"The precision {precision} needs a purifier with a diffusion network that is not quick already; got "
            f"{purifier!r}. Leave it out."
        )
        raise ValueError(msg)
    return found


def steadied(purifier: RandomMap, rows: int) -> RandomMap:
    """Return a purifier whose networks, and those of its parts, compute so many rows at a time, whatever the batch.

    Examples
    --------
    >>> from purigeom.networks.unet import UNet
    >>> from purigeom.purifiers.diffusion.ddim import OneShot
    >>> steadied(OneShot(UNet("digits-ddpm"), depth=30), rows=16).network.rows
    16
    """
    if not is_whole(rows) or rows < 1:
        msg = f"The fixed number of rows must be a whole number of at least 1; got {rows!r}."
        raise ValueError(msg)
    found: RandomMap = with_networks(purifier, partial(_steady, rows=rows))
    if found == purifier:
        msg = (
            f"A fixed number of {rows} rows needs a purifier with a network that is not steady already; got "
            f"{purifier!r}. Leave it out."
        )
        raise ValueError(msg)
    return found


def _steady(part: Any, rows: int) -> Any:
    """Return what is steady in place of a part; raise where a stranger's module, which none of it reaches, is one."""
    if isinstance(part, Wrapped):
        msg = (
            f"{part!r} computes as many rows as there are. Leave the fixed number of rows out, or give its network a "
            "description of its own."
        )
        raise TypeError(msg)
    return steady(part, rows)
