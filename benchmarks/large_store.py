"""Stores of many facts and of many units: what they take on disk, in memory, and to be taken up again."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import xarray as xr

from benchmarks.figure import Figure, at_most, in_fresh_process, machine, peak_growth, seconds
from purigeom import store
from purigeom.commands import contents
from purigeom.means import estimates
from purigeom.measurements.compression import Compression
from purigeom.pace import SEALS
from purigeom.protocols import Batch
from purigeom.purifiers.gaussian import GaussianNoise
from purigeom.store.arrays import TEXT, encoded, header_of
from purigeom.store.places import put, remove
from purigeom.store.segment import SEAL, write
from purigeom.tasks import IMAGES_PER_UNIT, Task, plan_units

RADII, PROBES = (0.05, 0.1, 0.15, 0.2), 50
QUESTION = Compression(RADII, probes=PROBES)
FACTS_PER_IMAGE = len(RADII) * PROBES
MADE_BY = {"device": "cpu", "seconds": 1.0}


@dataclass(frozen=True)
class Blank:
    """So many images of nothing, of one pixel."""

    count: int

    def load(self) -> Batch:
        """Return them."""
        return Batch(torch.zeros(self.count, 1, 1, 1), None, tuple(range(self.count)))

    def content(self) -> str:
        """Return all that there is to say of them."""
        return f"{self.count} blank images"


def tasks(purifiers: int, blocks: int) -> list[Task]:
    """Return one question to many purifiers, about so many blocks of images."""
    images = Blank(blocks * IMAGES_PER_UNIT)
    asked = [GaussianNoise((place + 1) / purifiers) for place in range(purifiers)]
    return [Task(f"noise {purifier.sigma}", purifier, QUESTION, images) for purifier in asked]


def fill(root: Path, purifiers: int, blocks: int) -> int:
    """Write a store as a sweep writes it, of random facts; return their number."""
    units = plan_units(tasks(purifiers, blocks), root, "cpu")
    shape = (1, len(RADII), 1, PROBES, IMAGES_PER_UNIT)
    drawn = np.random.default_rng(0)
    for unit in units:
        ids = list(range(unit.places.start, unit.places.stop))
        facts = drawn.lognormal(-1, 0.3, shape).astype(np.float32)
        labels = {"displacement": ["uniform"], "radius": list(RADII), "draw": [0], "probe": range(PROBES), "image": ids}
        answer = xr.Dataset({"compression_ratio": (tuple(labels), facts)}, labels)
        write(unit.segment, unit.row, unit.block, answer, MADE_BY)
    return len(units) * int(np.prod(shape))


def seal(root: Path, purifiers: int, blocks: int) -> None:
    """Lay out a store and seal all of its units, which is all that a run that takes it up again looks at."""
    (segment,) = {unit.segment for unit in plan_units(tasks(purifiers, blocks), root, "cpu")}
    first = encoded(
        SEAL, header_of(segment / SEAL), (slice(0, 1), slice(0, 1)), np.array([[json.dumps(MADE_BY)]], TEXT)
    )
    for row in range(purifiers):
        for block in range(blocks):
            put(segment / SEAL / f"c.{row}.{block}", first[f"{SEAL}/c.0.0"])


@contextmanager
def large(purifiers: int, blocks: int) -> Iterator[tuple[Path, int]]:
    """Yield a store of random facts and their number."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder), fill(Path(folder), purifiers, blocks)


def bytes_per_fact(purifiers: int = 40, blocks: int = 10) -> Figure:
    """Return what a fact takes on disk, headers, labels and seals included."""
    with large(purifiers, blocks) as (root, facts):
        weight = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
    how = (
        f"{facts / 1e6:.1f} million random float32 facts of {purifiers * blocks} units of {IMAGES_PER_UNIT} images, "
        "zstd and a checksum per chunk, everything in the store's folder counted"
    )
    return at_most("bytes_per_fact", weight / facts, None, how)


def lazy_memory_share(purifiers: int = 160, blocks: int = 10) -> Figure:
    """Return how much memory the means of a lazily loaded store take, as a share of what its facts would take."""
    with large(purifiers, blocks) as (root, facts):
        peak = in_fresh_process(summary_peak, str(root))
    how = (
        f"peak memory of estimates(store.load(root, lazy=True)).compute() less the level before, over the "
        f"{4 * facts / 1e6:.0f} MB of {facts / 1e6:.1f} million float32 facts; Dask's threads on {os.cpu_count()} "
        "cores, in a fresh process, after a small store"
    )
    return at_most("lazy_memory_share", peak / (4 * facts), 1, how)


def summary_peak(root: str, *, lazy: bool = True) -> int:
    """Return the peak memory of the means of a store, after those of a small one: libraries are in memory by then."""
    with large(2, 1) as (small, _):
        estimates(store.load(small, lazy=lazy)).compute()
    return peak_growth(lambda: estimates(store.load(root, lazy=lazy)).compute())


def resume_seconds(purifiers: int = 1000, blocks: int = 100) -> Figure:
    """Return how long it takes to find that nothing is left to do."""
    asked = tasks(purifiers, blocks)
    with tempfile.TemporaryDirectory() as folder:
        seal(Path(folder), purifiers, blocks)
        listing = seconds(lambda: store.progress_of(folder))
        resuming = seconds(lambda: plan_units(asked, Path(folder), "cpu"))
    how = (
        f"plan_units of {purifiers} tasks over a store in which all {purifiers * blocks} units are sealed, of which "
        f"store.progress_of takes {listing:.2f} s, on a local disk; {machine()}"
    )
    return at_most("resume_seconds", resuming, 5, how)


def info_seconds(purifiers: int = 1000, blocks: int = 100) -> Figure:
    """Return how long `purigeom info` takes to say how long the last unit will take."""
    with tempfile.TemporaryDirectory() as folder:
        seal(Path(folder), purifiers, blocks)
        (progress,) = store.progress_of(folder)
        remove(progress.segment / SEAL / f"c.{purifiers - 1}.{blocks - 1}")
        telling = seconds(lambda: contents(folder))
    how = (
        f"purigeom info on a store in which all but one of {purifiers * blocks} units are sealed, at most {SEALS} of "
        f"whose seals it reads, on a local disk; {machine()}"
    )
    return at_most("info_seconds", telling, 5, how)
