"""What a purifier's derivatives are worth: agreement with each other and with differences, and how they are made."""

from collections import Counter

from torch import Tensor

from purigeom.geometry.agreement import agreement
from purigeom.geometry.jacobian import Jacobian
from purigeom.geometry.memory import out_of_memory
from purigeom.geometry.through import Route
from purigeom.noise import Noise
from purigeom.protocols import Batch, ImageMap, RandomMap, declaration

UNCHECKED = ("none", "piecewise constant")
PLACES = 3
"""Random images at which derivatives may still turn out right: a kink is at some places, a wrong slope at all."""


def derivatives_told(purifier: RandomMap, batch: Batch, noise: Noise) -> str:
    """Say how a purifier's derivatives are made; raise ValueError where they are not what it declares.

    Without derivatives, or with none but zero, there is nothing to check.
    """
    declared = declaration(purifier).differentiability
    if declared in UNCHECKED:
        return (
            f"It declares differentiability {declared!r}: derivatives are not checked, and measures of finite "
            "displacements still run."
        )
    image_map = purifier.pin(noise, tuple(batch.images.shape[1:]))
    for place in range(PLACES):
        apart = noise.child("agreement", place)
        images = _sharpest(image_map, 0.5 + 0.4 * apart.uniform_like(batch.images))
        jacobian = Jacobian(image_map, images, image_ids=batch.image_ids)
        fault = _fault(jacobian, apart)
        if not fault:
            told = _routes_told(jacobian.routes)
            return f"Its derivatives agree with each other and, away from kinks, with differences. {told}"
    msg = f"{purifier!r} declares differentiability {declared!r}, but {fault}. Mend it, or declare 'none'."
    raise ValueError(msg)


def _sharpest(image_map: ImageMap, images: Tensor) -> Tensor:
    """Return images in float64, where differences reach the fewest kinks, if the map takes them; else as they are."""
    try:
        image_map(images.double())
    except RuntimeError:
        return images
    return images.double()


def _fault(jacobian: Jacobian, noise: Noise) -> str:
    try:
        return agreement(jacobian, noise).fault
    except RuntimeError as error:
        if out_of_memory(error):
            raise
        return f"it cannot be differentiated: {str(error).strip().rstrip('.')}"


def _routes_told(routes: tuple[Route, ...]) -> str:
    """Say how tangents pass the steps: how many functions by rule, which by torch, and which steps as a whole."""
    rules = sum(route.rules.total() for route in routes)
    by_torch = sum((route.by_torch for route in routes), Counter[str]())
    told = f"Tangents pass {_counted(len(routes), 'step')}: {_counted(rules, 'function')} by rule"
    named = ", ".join(f"{name} {count}x" for name, count in by_torch.most_common())
    told += f", {by_torch.total()} by vmap(jvp) ({named})." if named else ", none by vmap(jvp)."
    reasons: dict[str, list[str]] = {}
    for place, route in enumerate(routes, 1):
        if route.whole:
            reasons.setdefault(route.whole, []).append(str(place))
    wholes = [f" As a whole, step {', '.join(places)}: {reason}" for reason, places in reasons.items()]
    return told + "".join(f"{whole.rstrip('.')}." for whole in wholes)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
