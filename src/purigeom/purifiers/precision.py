"""In how many bits the diffusion networks of purifiers compute."""

from dataclasses import replace
from typing import Any, cast, get_args

from purigeom.networks.diffusion.predictor import NoisePredictor
from purigeom.networks.quick import Precision, Quick
from purigeom.protocols import RandomMap
from purigeom.purifiers.composed import Compose, Repeat


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
    found = _quick(purifier, cast(Precision, precision))
    if found == purifier:
        msg = f"The precision {precision} needs a purifier with a diffusion network; got {purifier!r}. Leave it out."
        raise ValueError(msg)
    return found


def _quick(purifier: RandomMap, precision: Precision) -> RandomMap:
    """Return the purifier with quick networks; one without networks as it is."""
    if isinstance(purifier, Compose):
        return replace(purifier, parts=tuple(_quick(part, precision) for part in purifier.parts))
    if isinstance(purifier, Repeat):
        return replace(purifier, purifier=_quick(purifier.purifier, precision))
    network = getattr(purifier, "network", None)
    if not isinstance(network, NoisePredictor):
        return purifier
    described: Any = purifier
    return replace(described, network=Quick(network, precision))
