"""How long a large answer takes by the size of its parts, for decision 0010: `python -m benchmarks.parts [NAME ...]`.

Prints `part_write_seconds.<MiB>`, `part_read_seconds.<MiB>` and `part_one_image_ms.<MiB>`, a line of JSON each.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import xarray as xr

from benchmarks.figure import Figure, at_most, chosen, machine, print_line, seconds
from benchmarks.large_store import MADE_BY, Blank
from purigeom import store
from purigeom.measurements.distances import Distances
from purigeom.purifiers.identity import Identity
from purigeom.store import shards
from purigeom.store.segment import write
from purigeom.tasks import IMAGES_PER_UNIT, Task, plan_units

MIB = (0.6, 1.2, 4, 16, 64, 128)
"""Sizes of parts; the last is more than the unit."""
NUMBERS = 3 * 224 * 224
"""What is said of each image: as much as a picture of ImageNet holds."""
REPEATS = 2


@cache
def measured(mib: float) -> tuple[float, float, float]:
    """Return the seconds to write a unit, to read it and to read one of its images: the least of several."""
    drawn = np.random.default_rng(0).random((NUMBERS, IMAGES_PER_UNIT), np.float32)
    answer = xr.Dataset(
        {"l2_distance": (("draw", "image"), drawn)}, {"draw": range(NUMBERS), "image": range(IMAGES_PER_UNIT)}
    )
    with _parts_of(mib):
        return tuple(map(min, zip(*(_once(answer) for _ in range(REPEATS)), strict=True)))


def _once(answer: xr.Dataset) -> tuple[float, float, float]:
    with TemporaryDirectory() as folder:
        (unit,) = plan_units([Task("one", Identity(), Distances(), Blank(IMAGES_PER_UNIT))], Path(folder), "cpu")
        writing = seconds(lambda: write(unit.segment, 0, 0, answer, MADE_BY))
        facts = store.load(folder)["l2_distance"]
        one = seconds(lambda: facts.isel(image=70).values)
        return writing, seconds(lambda: store.load(folder)["l2_distance"].values), one


@contextmanager
def _parts_of(mib: float) -> Iterator[None]:
    """Let parts have another size for a while."""
    before = shards.PART_BYTES
    shards.PART_BYTES = int(mib * 2**20)
    try:
        yield
    finally:
        shards.PART_BYTES = before


def figure(kind: str, mib: float) -> Figure:
    """Return one of the three durations, for one size of parts."""
    writing, reading, one = measured(mib)
    value = {"part_write_seconds": writing, "part_read_seconds": reading, "part_one_image_ms": 1000 * one}[kind]
    size = IMAGES_PER_UNIT * NUMBERS * 4 / 2**20
    how = f"{size:.0f} MiB on a local disk, in parts of at most {mib:g} MiB, the least of {REPEATS}; {machine()}"
    return at_most(f"{kind}.{mib:g}", value, None, how)


FIGURES: Mapping[str, Callable[[], Figure]] = {
    f"{kind}.{mib:g}": partial(figure, kind, mib)
    for mib in MIB
    for kind in ("part_write_seconds", "part_read_seconds", "part_one_image_ms")
}


def main(names: Sequence[str]) -> None:
    """Print the named figures, or all."""
    for name in chosen(names, FIGURES):
        print_line(FIGURES[name]())


if __name__ == "__main__":
    main(sys.argv[1:])
