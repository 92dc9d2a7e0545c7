"""Ask questions about purifiers: each task once, resumed where it stopped, here or in other processes."""

import time
from collections.abc import Iterable
from pathlib import Path

import torch

from purigeom.contract import verify
from purigeom.executors import Executor, in_process
from purigeom.images import checked
from purigeom.noise import Noise
from purigeom.progress import shown
from purigeom.protocols import Batch
from purigeom.provenance import made_by
from purigeom.schema import validate
from purigeom.store.segment import write
from purigeom.tasks import Task, Unit, plan_units

__all__ = ["Task", "answer", "run"]

VERIFIED_IMAGES = 2


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


def on_device(batch: Batch, device: str, dtype: str) -> Batch:
    """Return the batch where, and in the type in which, it is measured."""
    images = batch.images.to(device, getattr(torch, dtype))
    return Batch(images, None if batch.labels is None else batch.labels.to(device), batch.image_ids)
