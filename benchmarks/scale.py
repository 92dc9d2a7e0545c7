"""What it costs to work in many processes, and what is lost on the way: `python -m benchmarks.scale [NAME ...]`.

Prints `task_overhead_ms.<executor>`, `two_worker_efficiency`, `resume_seconds`, `info_seconds`, `bytes_per_fact`,
`lazy_memory_share`, `faults_injected`, `answers_lost` and `steady_cost`, a line of JSON each.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

import numpy as np
import xarray as xr

from benchmarks.efficiency import two_worker_efficiency
from benchmarks.faults import answers_lost, faults_injected
from benchmarks.figure import Figure, at_most, chosen, machine, print_line, seconds
from benchmarks.large_store import Blank, bytes_per_fact, info_seconds, lazy_memory_share, resume_seconds
from benchmarks.steady import steady_cost
from purigeom.executors import Dask, Executor, Processes, Slurm, in_process
from purigeom.noise import Noise
from purigeom.protocols import Batch, RandomMap
from purigeom.purifiers.identity import Identity
from purigeom.sweep import run
from purigeom.tasks import IMAGES_PER_UNIT, Task


@dataclass(frozen=True)
class Nothing:
    """A question whose answer is known without looking: what is left of a unit's time is not work."""

    label: ClassVar[str] = "nothing"
    version: ClassVar[int] = 1

    def __call__(self, purifier: RandomMap, batch: Batch, noise: Noise) -> xr.Dataset:
        del purifier, noise
        places = {"draw": [0], "image": list(batch.image_ids)}
        return xr.Dataset({"l2_distance": (tuple(places), np.zeros((1, len(batch)), np.float32))}, places)


def executors(folder: Path) -> dict[str, Executor]:
    """Return one of each kind, with one worker."""
    return {
        "in_process": in_process,
        "processes": Processes(1),
        "dask": Dask(workers=1),
        "slurm": Slurm(jobs=1, folder=folder, cluster="local"),
    }


def task_overhead(name: str, few: int = 50, many: int = 450) -> Figure:
    """Return what a unit costs beyond its work, in milliseconds: the slope over units, so that start-up is left out."""
    with TemporaryDirectory() as folder:
        executor = executors(Path(folder) / "jobs")[name]
        spent = [seconds(partial(_asked, Path(folder) / str(count), count, executor)) for count in (few, many)]
    how = (
        f"({spent[1]:.2f} s for {many} units less {spent[0]:.2f} s for {few}) over {many - few}, units of "
        f"{IMAGES_PER_UNIT} images whose answer takes no time: sent, checked, stored and sealed on a local disk by one "
        f"worker; {machine()}"
    )
    return at_most(f"task_overhead_ms.{name}", 1000 * (spent[1] - spent[0]) / (many - few), 15, how)


def _asked(root: Path, units: int, executor: Executor) -> None:
    task = Task("identity", Identity(), Nothing(), Blank(units * IMAGES_PER_UNIT))
    run([task], root, executor, quiet=True)


FIGURES: Mapping[str, Callable[[], Figure]] = {
    **{f"task_overhead_ms.{name}": partial(task_overhead, name) for name in executors(Path())},
    "two_worker_efficiency": two_worker_efficiency,
    "resume_seconds": resume_seconds,
    "info_seconds": info_seconds,
    "bytes_per_fact": bytes_per_fact,
    "lazy_memory_share": lazy_memory_share,
    "faults_injected": faults_injected,
    "answers_lost": answers_lost,
    "steady_cost": steady_cost,
}


def main(names: Sequence[str]) -> None:
    """Print the named figures, or all."""
    for name in chosen(names, FIGURES):
        print_line(FIGURES[name]())


if __name__ == "__main__":
    main(sys.argv[1:])
