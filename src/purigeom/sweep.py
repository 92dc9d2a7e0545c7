"""Ask questions about purifiers: each task once, resumed where it stopped, here or in other processes."""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
import xarray as xr
from torch import Tensor

from purigeom.aside import without_broken
from purigeom.contract import BrokenImagesError, verify
from purigeom.derivatives import derivatives_told
from purigeom.executors import Executor, in_process
from purigeom.geometry.memory import in_parts
from purigeom.images import checked
from purigeom.measurements.compression import Compression
from purigeom.measurements.distances import Distances
from purigeom.noise import Noise
from purigeom.progress import shown
from purigeom.protocols import Batch, ImageSet, Measurement, RandomMap, differentiates
from purigeom.provenance import made_by
from purigeom.schema import validate
from purigeom.store.segment import write
from purigeom.tasks import Task, Unit, plan_units

__all__ = ["Task", "answer", "measure", "run"]

VERIFIED_IMAGES = 4
DIFFERENTIATED_IMAGES = 2
DEFAULT_MEASUREMENTS = (Compression(radii=(8 / 255,)), Distances())


def run(
    tasks: Iterable[Task],
    root: Path | str,
    executor: Executor = in_process,
    *,
    device: str = "cpu",
    quiet: bool = False,
) -> Path:
    """Answer every task that the store at `root` does not answer yet; return `root` for `store.load`.

    Raises
    ------
    ValueError
        Where the store holds answers to another question, or another purifier, under the same name; and at the end,
        where purifiers broke all images of a block.
    """
    root = Path(root)
    units = plan_units(list(tasks), root, device)
    told = [said for said in shown(executor(_attempted, units), len(units), "measuring", quiet=quiet) if said]
    if told:
        msg = f"Everything else is stored in {root}; where no image of a block is left, nothing is. " + " ".join(told)
        raise ValueError(msg)
    return root


def _attempted(unit: Unit) -> str:
    """Answer a unit; return what was said of a purifier that breaks all of its images."""
    try:
        answer(unit)
    except BrokenImagesError as error:
        return f"{unit.task.purifier_name}: {error}"
    return ""


def answer(unit: Unit) -> float:
    """Measure and store one unit; return the seconds it took."""
    started = time.perf_counter()
    task = unit.task
    batch = on_device(checked(task.images.load())[unit.places], unit.device, task.dtype)
    noise = Noise(task.seed, batch.image_ids)
    told: dict[str, str] = {}

    def measured(batch: Batch, noise: Noise) -> xr.Dataset:
        if unit.verify:
            _verify_contract(task.purifier, batch, noise)
        if unit.verify_derivatives:
            told["derivatives"] = _checked_derivatives(task.purifier, batch, noise)
        return validate(task.measurement(task.purifier, batch, noise))

    with exact_arithmetic():
        facts, broken = without_broken(measured, batch, noise)
        made = made_by(unit.device) | ({"broken": broken} if broken else {})
    seconds = time.perf_counter() - started
    write(unit.segment, unit.row, unit.block, facts, {**made, **told, "seconds": round(seconds, 4)})
    return seconds


def _verify_contract(purifier: RandomMap, batch: Batch, noise: Noise) -> None:
    few = slice(0, VERIFIED_IMAGES)
    verify(purifier, batch[few], noise.child("contract")[few])


def _checked_derivatives(purifier: RandomMap, batch: Batch, noise: Noise) -> str:
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
        with torch.backends.cudnn.flags(benchmark=False, deterministic=True, allow_tf32=False):
            yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


def on_device(batch: Batch, device: str, dtype: str) -> Batch:
    """Return the batch where, and in the type in which, it is measured."""
    images = batch.images.to(device, getattr(torch, dtype))
    return Batch(images, None if batch.labels is None else batch.labels.to(device), batch.image_ids)


def measure(
    purifier: RandomMap,
    images: Tensor | Batch | ImageSet,
    measurements: Sequence[Measurement] = DEFAULT_MEASUREMENTS,
    *,
    labels: Tensor | None = None,
    seed: int = 0,
) -> xr.Dataset:
    """Answer questions about one purifier at once, in memory, where and in the type the images are.

    Parameters
    ----------
    purifier
        Any object with `pin`; its contract is verified first, and so are its derivatives where a question uses them.
    images
        Images in [0, 1] of shape (image, channel, row, column), a batch, or an image set.
    measurements
        The questions: compression at linf radius 8/255 and distances unless given.
    labels
        Class indices, for measurements that attack.
    seed
        The seed of all randomness.

    Returns
    -------
    xr.Dataset
        One fact per image, draw, ...; `purigeom.estimates` gives means with their standard errors. Its attribute
        `derivatives` says how these were made, where a question uses them.
    """
    batch = as_batch(images, labels)
    noise = Noise(seed, checked(batch).image_ids)
    told: dict[str, str] = {}

    def measured(batch: Batch, noise: Noise) -> xr.Dataset:
        _verify_contract(purifier, batch, noise)
        if any(differentiates(question) for question in measurements):
            told["derivatives"] = _checked_derivatives(purifier, batch, noise)
        answers = [validate(question(purifier, batch, noise)) for question in measurements]
        return xr.merge(answers, join="outer", compat="no_conflicts")

    with exact_arithmetic():
        facts, broken = without_broken(measured, batch, noise)
        made = json.dumps(made_by(str(batch.images.device)) | ({"broken": broken} if broken else {}))
    asked = {question.label: repr(question) for question in measurements} | told
    return facts.assign_attrs(purifier=repr(purifier), **asked, seed=seed, made_by=made)


def as_batch(images: Tensor | Batch | ImageSet, labels: Tensor | None = None) -> Batch:
    """Return images of any kind as a batch; those of a tensor are known by their places.

    Examples
    --------
    >>> as_batch(torch.zeros(2, 1, 4, 4)).image_ids
    (0, 1)
    """
    if labels is not None and not isinstance(images, Tensor):
        msg = "labels belong beside a tensor of images; this image set has labels of its own."
        raise ValueError(msg)
    if isinstance(images, Tensor):
        return Batch(images, labels, tuple(range(len(images))))
    return images if isinstance(images, Batch) else images.load()
