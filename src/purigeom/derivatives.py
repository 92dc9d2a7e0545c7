"""What a purifier's derivatives are worth: agreement with each other and with differences, and how they are made."""

from collections import Counter

import torch
from torch import Tensor

from purigeom.geometry.agreement import agreement
from purigeom.geometry.forward import Route
from purigeom.geometry.jacobian import Jacobian
from purigeom.geometry.memory import out_of_memory
from purigeom.noise import Noise
from purigeom.protocols import Batch, ImageMap, RandomMap, declaration

UNCHECKED = ("none", "piecewise constant")
PLACES = 3
"""Random images at which derivatives may still turn out right: a kink is at some places, a wrong slope at all."""
FINITE = 0.15
"""How far pixels are moved to see whether a map without slope is constant or only constant in pieces."""


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
    msg = f"{purifier!r} declares differentiability {declared!r}, but {fault}."
    raise ValueError(msg)


def _sharpest(image_map: ImageMap, images: Tensor) -> Tensor:
    """Return images in float64, where differences reach the fewest kinks, if the map takes them; else as they are."""
    try:
        image_map(images.double())
    except RuntimeError:
        return images
    return images.double()


def _fault(jacobian: Jacobian, noise: Noise) -> str:
    """Return what is wrong with derivatives at some images, and what to do; empty where nothing is."""
    try:
        found = agreement(jacobian, noise)
    except RuntimeError as error:
        if out_of_memory(error):
            raise
        return f"it cannot be differentiated: {str(error).strip().rstrip('.')}. Mend it, or declare 'none'"
    if found.fault:
        return f"{found.fault}. Mend it, or declare 'none', or 'piecewise constant' if it rounds"
    return "" if found.stretch.any() else _flat(jacobian, noise)


def _flat(jacobian: Jacobian, noise: Noise) -> str:
    """Return what is wrong where all slopes vanish: nothing with a constant, but it may be constant in pieces."""
    images = jacobian.images
    with torch.no_grad():
        displaced = (images + FINITE * noise.child("finite").uniform_like(images).sign()).clamp(0, 1)
        moved = (jacobian.image_map(displaced) - jacobian.states[-1]).abs().max().item()
    if not moved:
        return ""
    return (
        f"it is piecewise constant: its slopes vanish, and pixels moved by {FINITE} change its answer by up to "
        f"{moved:.2g}. Declare 'piecewise constant', or give it a slope"
    )


def _routes_told(routes: tuple[Route, ...]) -> str:
    """Say how tangents pass the steps: how many functions by rule, which by torch, and which steps otherwise."""
    rules = sum(route.rules.total() for route in routes)
    by_torch = sum((route.by_torch for route in routes), Counter[str]())
    told = f"Tangents pass {_counted(len(routes), 'step')}: {_counted(rules, 'function')} by rule"
    named = ", ".join(f"{name} {count}x" for name, count in by_torch.most_common())
    told += f", {by_torch.total()} by vmap(jvp) ({named})." if named else ", none by vmap(jvp)."
    told += _places_told("As a whole", [route.whole for route in routes])
    told += _places_told("By the adjoint of its pull, with the slope its backward states", [r.by_pull for r in routes])
    drift = max((route.drift for route in routes), default=0.0)
    return told + (f" In narrow numbers a state drifts by {drift:.2g} of its largest entry." if drift else "")


def _places_told(way: str, reasons: list[str]) -> str:
    """Say which steps went a way, and why."""
    places: dict[str, list[str]] = {}
    for place, reason in enumerate(reasons, 1):
        if reason:
            places.setdefault(reason, []).append(str(place))
    return "".join(f" {way}, step {', '.join(where)}: {reason.rstrip('.')}." for reason, where in places.items())


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
