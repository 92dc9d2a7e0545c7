"""What the paper's full study would cost by measured throughput, and what memory compression takes."""

from dataclasses import dataclass
from functools import cache

import torch

from benchmarks.attack_gradients import brightness
from benchmarks.cifar_cases import RADIUS, WAYS, Case, Size, grey
from benchmarks.cifar_shares import compression_share
from benchmarks.cifar_throughput import best, forward, median_seconds, told
from benchmarks.clock import conditions, one_thread, peak_growth
from benchmarks.figure import Figure, at_most, in_fresh_process
from purigeom.attacks.losses import climbing
from purigeom.defence.defended import Defended
from purigeom.defence.knowledge import EOT
from purigeom.defence.target import Target
from purigeom.measurements.compression import Compression
from purigeom.networks.unet import UNet
from purigeom.noise import Noise

HOUR = 3600
GIGABYTE = 10**9


@dataclass(frozen=True)
class Study:
    """The study of arXiv 2505.22839 on CIFAR-10, every level of a purifier a step of its own.

    The paper states the 50 probes and 100 steps at its usual depth. It does not state how many images it attacks, with
    which steps and draws, or all its depths: here images are as many as in DiffPure's evaluation, steps and draws are
    Lee and Kim's, which it cites, and depths those of `analyses/paper.py`.
    """

    images: int = 512
    samplers: int = 3
    depths: tuple[int, ...] = (10, 30, 60, 100, 150, 220)
    probes: int = 50
    attack_steps: int = 200
    draws: int = 20

    @property
    def image_steps(self) -> int:
        """Return the steps that purifying every image once by every purifier takes."""
        return self.images * self.samplers * sum(self.depths)

    def compression_hours(self, per_second: float) -> float:
        """Return the hours at so many images x probes x steps per second."""
        return self.image_steps * self.probes / per_second / HOUR

    def attack_hours(self, per_second: float) -> float:
        """Return the hours at gradients through so many images x draws x steps per second."""
        return self.image_steps * self.attack_steps * self.draws / per_second / HOUR

    def spelled(self) -> str:
        """Return what is multiplied, in words."""
        return (
            f"{self.images} images x {self.samplers} samplers x {sum(self.depths)} steps (depths "
            f"{', '.join(map(str, self.depths))})"
        )


PAPER = Study()


def compression_hours(way: str, case: Case) -> Figure:
    """Return what compression of the whole study would take."""
    with one_thread():
        per_second = compression_share(case, way) * best(case, way, forward).per_second
        how = (
            f"{PAPER.spelled()} x {PAPER.probes} probes, over {per_second:.4g} images x probes x steps per second as "
            f"measured for compression_throughput_share.{way}; one draw, on one device or thread; {told(case, way)}"
        )
    return at_most(f"projected_hours.compression.{way}", PAPER.compression_hours(per_second), None, how)


def attack_hours(way: str, case: Case) -> Figure:
    """Return what attacking the whole study by PGD with EOT would take."""
    with one_thread():
        per_second = gradients_per_second(case, way)
        how = (
            f"{PAPER.spelled()} x {PAPER.attack_steps} steps of PGD x {PAPER.draws} draws, over {per_second:.4g} "
            f"images x draws x steps per second of exact gradients, measured on {case.size.images} images and "
            f"{case.size.steps} steps of DDPM before a classifier that costs nothing; one radius, on one device or "
            f"thread; {case.words}, {WAYS[way].words}; {conditions()}"
        )
    return at_most(f"projected_hours.pgd_eot.{way}", PAPER.attack_hours(per_second), None, how)


@cache
def gradients_per_second(case: Case, way: str) -> float:
    """Return through how many images x draws x steps per second an attacker's exact gradient goes."""
    size, batch = case.size, grey(case.size.images)
    noise = Noise(0, batch.image_ids)
    loss = climbing("ce", torch.zeros(len(batch), dtype=torch.int64, device=batch.images.device))
    defence = Defended(case.purifier(way, size.steps), brightness())
    target = Target(defence, noise, noise.child("attacker"), EOT(PAPER.draws))
    taken = median_seconds(lambda: target.slope(batch.images, loss), size.repeats)
    return size.images * PAPER.draws * size.steps / taken


def peak_memory_gb(way: str, case: Case) -> Figure:
    """Measure compression in a fresh process."""
    size = case.size
    value = in_fresh_process(compression_peak, case.network.checkpoint, way, size)
    how = (
        f"peak memory of compression, {size.images} images x {size.probes} probes, {size.steps} steps of DDPM, less "
        f"the level just before, after a warm-up with one image and probe, in a fresh process; {case.words}, "
        f"{WAYS[way].words}; {conditions()}"
    )
    return at_most(f"peak_memory_gb.{way}", value / GIGABYTE, None, how)


def compression_peak(checkpoint: str, way: str, size: Size) -> int:
    """Return the peak memory of measuring compression, in bytes."""
    purifier = Case(UNet(checkpoint), "", size).purifier(way, size.steps)

    def measure(images: int, probes: int) -> None:
        batch = grey(images)
        Compression(radii=(RADIUS,), probes=probes)(purifier, batch, Noise(0, batch.image_ids))

    with one_thread():
        measure(1, 1)
        return peak_growth(lambda: measure(size.images, size.probes))
