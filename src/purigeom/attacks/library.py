"""What running pyautoattack's attacks takes: images one by one, seeds from noise, torch's generators left alone.

The package draws from torch's global generator in the shape of the batch it is given: an image's answer is its own only
where it travels alone. Nor could images be told apart in a batch, since FAB leaves the ball on its way. This costs what
batches save. APGD is purigeom's own and attacks whole batches.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeAlias

import torch
from torch import Tensor

from purigeom.defence.checks import check_labels, labels_of
from purigeom.defence.target import Target
from purigeom.geometry.displacement import Norm, per_image
from purigeom.noise import Noise
from purigeom.protocols import Batch

NORMS: Mapping[Norm, str] = {"linf": "Linf", "l2": "L2"}
"""What the package calls norms."""

Run: TypeAlias = Callable[[Target, Batch, int], Tensor]
"""From a target, its images in single precision and a seed to attacked images."""


def package(module: str, attack: object) -> Any:
    """Return a module of pyautoattack; raise where it is not installed."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != "pyautoattack":
            raise
        msg = (
            f"{type(attack).__name__} runs the package pyautoattack, which is not installed. Install it with "
            "`pip install 'purigeom[autoattack]'`. APGD is purigeom's own and needs no package."
        )
        raise ModuleNotFoundError(msg, name=error.name) from error


def installed() -> str:
    """Return which version of the package is installed: part of the key of what its attacks answer."""
    try:
        return f"pyautoattack {version('pyautoattack')}"
    except PackageNotFoundError:
        return "pyautoattack, not installed"


def one_by_one(run: Run, target: Target, batch: Batch, noise: Noise) -> Tensor:
    """Run an attack on one image after another, each with a seed of its own; where one ends in NaN, it stays clean."""
    single = Batch(batch.images.float(), labels_of(batch), batch.image_ids)
    found = []
    for place in range(len(batch)):
        image = slice(place, place + 1)
        seed = noise[image].child("seed").words_like(torch.zeros(1, 1)).item()
        with undisturbed():
            found.append(run(target[image], single[image], int(seed)))
    attacked = torch.cat(found).to(batch.images)
    broken = ~attacked.flatten(1).isfinite().all(1)
    for place in broken.nonzero().flatten().tolist():
        image_id = batch.image_ids[place]
        said = f"Image {image_id}: the package's attack ended in NaN or infinity, behind {target.defence.purifier!r}."
        target.ledger.broken.setdefault(image_id, said)
    return torch.where(per_image(broken, attacked), batch.images, attacked)


def classes_of(target: Target, batch: Batch, attack: object, least: int) -> int:
    """Return how many classes the classifier tells apart; raise unless there are enough, and labels name them."""
    with torch.no_grad():  # of the classifier alone, so that no image pays for a purification
        classes = int(target.defence.classifier.load()(batch.images[:1]).shape[-1])
    if classes < least:
        msg = f"{attack!r} needs at least {least} classes; the classifier has {classes}. Take APGD() with loss 'cw'."
        raise ValueError(msg)
    check_labels(labels_of(batch), classes)
    return classes


@contextmanager
def undisturbed() -> Iterator[None]:
    """Leave torch's generators and the interpreter's trace as they were: the package sets both."""
    trace = sys.gettrace()
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        try:
            yield
        finally:
            sys.settrace(trace)
