"""In how many bits the diffusion networks of purifiers compute."""

from typing import cast, get_args

from purigeom.networks.quick import Precision, with_quick_networks
from purigeom.protocols import RandomMap


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
