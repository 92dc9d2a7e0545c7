"""What a second worker is worth on a study of digits, against what two processes that share nothing reach."""

import multiprocessing
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from benchmarks.figure import Figure, at_least, machine, seconds
from purigeom.catalog import CLASSIFIERS, DIGITS_UNET
from purigeom.executors import Processes
from purigeom.images import Digits
from purigeom.predict import forward_questions
from purigeom.purifiers.diffusion.ddpm import DDPM
from purigeom.sweep import run
from purigeom.tasks import Task

DEPTHS = tuple(range(20, 200, 30))


def study(depths: Sequence[int], images: int) -> list[Task]:
    """Return what forward passes are asked of DDPM at several depths."""
    questions = forward_questions(CLASSIFIERS["digits"], (0.1, 0.2))
    purifiers = {f"ddpm {depth}": DDPM(DIGITS_UNET, depth=depth, steps=6) for depth in depths}
    return [Task(name, one, asked, Digits()[:images]) for name, one in purifiers.items() for asked in questions]


def two_worker_efficiency(depths: Sequence[int] = DEPTHS, images: int = 16) -> Figure:
    """Return how near two workers come to halving the time of one, as a share of what two bare processes reach."""
    with TemporaryDirectory() as folder:
        ours = [seconds(partial(_by_workers, Path(folder) / str(count), count, depths, images)) for count in (1, 2)]
        bare = [seconds(partial(_bare, Path(folder) / f"bare {count}", count, depths, images)) for count in (1, 2)]
    value = (ours[0] / ours[1]) / (bare[0] / bare[1])
    how = (
        f"{len(study(depths, images))} units of {len(depths)} DDPM purifiers and {images} digits, one thread each: "
        f"{ours[0]:.1f} s with Processes(1), {ours[1]:.1f} s with Processes(2); {bare[0]:.1f} s in one bare process, "
        f"{bare[1]:.1f} s in two that have half of the purifiers each; start-up counted; {machine()}"
    )
    return at_least("two_worker_efficiency", value, 0.9, how)


def _by_workers(root: Path, count: int, depths: Sequence[int], images: int) -> None:
    run(study(depths, images), root, Processes(count), quiet=True)


def _bare(root: Path, count: int, depths: Sequence[int], images: int) -> None:
    spawn = multiprocessing.get_context("spawn")
    shares = [depths[place::count] for place in range(count)]
    started = [spawn.Process(target=_alone, args=(root / str(k), share, images)) for k, share in enumerate(shares)]
    for process in started:
        process.start()
    for process in started:
        process.join()


def _alone(root: Path, depths: Sequence[int], images: int) -> None:
    torch.set_num_threads(1)
    run(study(depths, images), root, quiet=True)
