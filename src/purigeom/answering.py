"""How one unit of work is answered: its purifier verified, its images measured, its facts stored."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
import xarray as xr

from purigeom.aside import of_whole_images, without_broken
from purigeom.contract import verify
from purigeom.derivatives import derivatives_told
from purigeom.geometry.memory import in_parts
from purigeom.images import loaded
from purigeom.noise import Noise
from purigeom.protocols import Batch, RandomMap, differentiates
from purigeom.provenance import made_by
from purigeom.schema import validate
from purigeom.store.segment import sealed, write
from purigeom.tasks import IMAGES_PER_UNIT, Unit

VERIFIED_IMAGES = 4
DIFFERENTIATED_IMAGES = 2
_FOUND: dict[tuple[str, str, str], tuple[str, str]] = {}
"""What this process has found of purifiers, and what was wrong: by what was looked at, subject and device."""


def answer(unit: Unit) -> float:
    """Measure and store one unit, unless another driver has done so meanwhile; return the seconds it took.

    Nothing of a purifier is stored by a process that has not verified it. Every process does so once, always on the
    first images of the task, so that all of them find the same and none stores what another would refuse.
    """
    if sealed(*unit.place):
        return 0.0
    started = time.perf_counter()
    facts, made = answered(unit)
    seconds = max(0.0, time.perf_counter() - started)  # a clock may be set back
    write(unit.segment, unit.row, unit.block, facts, {**made, "seconds": round(seconds, 4)})
    return seconds


def answered(unit: Unit) -> tuple[xr.Dataset, dict[str, Any]]:
    """Return the facts of one unit, and what made them."""
    task = unit.task
    with exact_arithmetic():
        told = _verified(unit)
        batch = on_device(loaded(task.images, unit.places), unit.device, task.dtype)
        noise = Noise(task.seed, batch.image_ids)
        facts, broken = without_broken(lambda *images: validate(task.measurement(task.purifier, *images)), batch, noise)
        made = made_by(unit.device) | ({"broken": broken} if broken else {})
    return facts, made | told


def _verified(unit: Unit) -> dict[str, str]:
    """Raise ValueError unless a purifier is what it says; beside its first block, return how derivatives are made."""
    _found("contract", verify_contract, unit)
    if not differentiates(unit.task.measurement):
        return {}
    told = _found("derivatives", checked_derivatives, unit)
    return {} if unit.block else {"derivatives": told}


def _found(what: str, look: Callable[[RandomMap, Batch, Noise], str], unit: Unit) -> str:
    """Return what one look at a purifier told in this process; raise ValueError, each time, where it found a fault."""
    place, task = (what, unit.subject, unit.device), unit.task
    if place not in _FOUND:
        batch = on_device(loaded(task.images, slice(IMAGES_PER_UNIT)), unit.device, task.dtype)
        noise = Noise(task.seed, batch.image_ids)
        try:
            _FOUND[place] = (of_whole_images(partial(look, task.purifier), batch, noise)[0], "")
        except ValueError as error:
            _FOUND[place] = ("", str(error))
    told, fault = _FOUND[place]
    if fault:
        raise ValueError(fault)
    return told


def verify_contract(purifier: RandomMap, batch: Batch, noise: Noise) -> str:
    """Raise ValueError where a purifier breaks a law on the first few images of a batch; else tell nothing."""
    few = slice(0, VERIFIED_IMAGES)
    verify(purifier, batch[few], noise.child("contract")[few])
    return ""


def checked_derivatives(purifier: RandomMap, batch: Batch, noise: Noise) -> str:
    """Return how derivatives are made; raise ValueError where they are not what the purifier declares."""
    told = noise.child("contract")
    few = min(DIFFERENTIATED_IMAGES, len(batch))
    return in_parts(lambda part: derivatives_told(purifier, batch[part], told[part]), few, few)[0]


@contextmanager
def exact_arithmetic() -> Iterator[None]:
    """Let no GPU trade digits or repeatability for speed, and leave the caller's settings as they were."""
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = False
    try:
        with torch.backends.cudnn.flags(
            enabled=torch.backends.cudnn.enabled, benchmark=False, deterministic=True, allow_tf32=False
        ):
            yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


def on_device(batch: Batch, device: str, dtype: str) -> Batch:
    """Return the batch where, and in the type in which, it is measured."""
    images = batch.images.to(device, getattr(torch, dtype))
    return Batch(images, None if batch.labels is None else batch.labels.to(device), batch.image_ids)
