"""Ask questions about purifiers: each task once, resumed where it stopped, here or in other processes."""

import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
import xarray as xr
from torch import Tensor

from purigeom.contract import verify
from purigeom.executors import Executor, in_process
from purigeom.images import checked
from purigeom.measurements.compression import Compression
from purigeom.measurements.distances import Distances
from purigeom.noise import Noise
from purigeom.progress import shown
from purigeom.protocols import Batch, ImageSet, Measurement, RandomMap
from purigeom.provenance import made_by
from purigeom.schema import validate
from purigeom.store.segment import write
from purigeom.tasks import Task, Unit, plan_units

__all__ = ["Task", "answer", "measure", "run"]

VERIFIED_IMAGES = 2
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
        Where the store holds answers to another question, or another purifier, under the same name.
    """
    root = Path(root)
    units = plan_units(list(tasks), root, device)
    for _ in shown(executor(answer, units), len(units), "measuring", quiet=quiet):
        pass
    return root


def answer(unit: Unit) -> float:
    """Measure and store one unit; return the seconds it took."""
    started = time.perf_counter()
    fix_arithmetic()
    task = unit.task
    batch = on_device(checked(task.images.load())[unit.places], unit.device, task.dtype)
    noise = Noise(task.seed, batch.image_ids)
    if unit.verify:
        few = slice(0, VERIFIED_IMAGES)
        verify(task.purifier, batch[few], noise.child("contract")[few])
    facts = validate(task.measurement(task.purifier, batch, noise))
    seconds = time.perf_counter() - started
    write(unit.segment, unit.row, unit.block, facts, {**made_by(unit.device), "seconds": round(seconds, 4)})
    return seconds


def fix_arithmetic() -> None:
    """Let no GPU trade digits or repeatability for speed unless a caller turns that on afterwards."""
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False


def on_device(batch: Batch, device: str, dtype: str) -> Batch:
    """Return the batch where, and in the type in which, it is measured."""
    images = batch.images.to(device, getattr(torch, dtype))
    return Batch(images, None if batch.labels is None else batch.labels.to(device), batch.image_ids)


def measure(
    purifier: RandomMap,
    images: Tensor | ImageSet,
    measurements: Sequence[Measurement] = DEFAULT_MEASUREMENTS,
    *,
    labels: Tensor | None = None,
    seed: int = 0,
) -> xr.Dataset:
    """Answer questions about one purifier at once, in memory, where and in the type the images are.

    Parameters
    ----------
    purifier
        Any object with `pin`; its contract is verified first.
    images
        Images in [0, 1] of shape (image, channel, row, column), or an image set.
    measurements
        The questions: compression at linf radius 8/255 and distances unless given.
    labels
        Class indices, for measurements that attack.
    seed
        The seed of all randomness.

    Returns
    -------
    xr.Dataset
        One fact per image, draw, ...; `purigeom.estimates` gives means with their standard errors.
    """
    batch = Batch(images, labels, tuple(range(len(images)))) if isinstance(images, Tensor) else images.load()
    noise = Noise(seed, checked(batch).image_ids)
    few = slice(0, VERIFIED_IMAGES)
    verify(purifier, batch[few], noise.child("contract")[few])
    return xr.merge([validate(question(purifier, batch, noise)) for question in measurements], join="outer")
