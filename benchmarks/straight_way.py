"""What the straight way costs: `python -m benchmarks.straight_way [NAME ...]` prints one line per figure."""

import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.compression import compression_overhead
from benchmarks.figure import Figure, at_most, chosen, in_fresh_process, machine, print_line, seconds
from benchmarks.gradient import gradient_memory_growth, gradient_memory_growth_full_graph
from benchmarks.noise import noise_share, noise_share_lean
from benchmarks.stored import build, open_seconds
from purigeom import demo

OPENINGS = 5


def store_open_seconds(units: int = 10_000) -> Figure:
    """Open a store of many finished units without reading a number."""
    opened, _, how = _store_seconds(units)
    return at_most("store_open_seconds", opened, 2, f"store.load without reading a number: {how}")


def store_read_seconds(units: int = 10_000) -> Figure:
    """Read every number of a store of many finished units."""
    _, read, how = _store_seconds(units)
    return at_most("store_read_seconds", read, None, f"reading every number after store.load: {how}")


@cache
def _store_seconds(units: int) -> tuple[float, float, str]:
    """Return the times of opening and of reading a store, and how they were taken."""
    with TemporaryDirectory() as folder:
        building = seconds(lambda: build(Path(folder), units))
        times = [in_fresh_process(open_seconds, folder) for _ in range(OPENINGS)]
    opened, read = (statistics.median(column) for column in zip(*times, strict=True))
    how = (
        f"{units} units of 8 digits each, written one by one by the package's own writer in {building:.0f} s, as four "
        f"questions to {units // 4} purifiers; {OPENINGS} fresh processes, imports not counted, files in the page "
        "cache; median"
    )
    return opened, read, how


def demo_compute_seconds() -> Figure:
    """Run the demo into an empty folder."""
    return at_most("demo_compute_seconds", _demo_seconds()[0], 240, _demo_how("into an empty folder"))


def demo_again_seconds() -> Figure:
    """Run the demo again, from what it stored."""
    return at_most("demo_again_seconds", _demo_seconds()[1], 15, _demo_how("again, from what the first run stored"))


@cache
def _demo_seconds() -> tuple[float, float]:
    """Return how long the demo's command takes the first and the second time."""
    with TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "purigeom", "demo", "--quiet", "--out", folder]
        first, second = (
            seconds(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))  # noqa: S603  our own
            for _ in range(2)
        )
    return first, second


def _demo_how(which: str) -> str:
    return (
        f"one `purigeom demo` in a fresh process {which}, imports counted; shipped networks, {len(demo.PURIFIERS)} "
        f"purifiers, {len(demo.IMAGES)} images, {demo.WORKERS!r}, {machine()}"
    )


FIGURES: Mapping[str, Callable[[], Figure]] = {
    figure.__name__: figure
    for figure in (
        noise_share,
        noise_share_lean,
        compression_overhead,
        gradient_memory_growth,
        gradient_memory_growth_full_graph,
        store_open_seconds,
        store_read_seconds,
        demo_compute_seconds,
        demo_again_seconds,
    )
}


def main(names: Sequence[str]) -> None:
    """Print the named figures, or all."""
    for name in chosen(names, FIGURES):
        print_line(FIGURES[name]())


if __name__ == "__main__":
    main(sys.argv[1:])
