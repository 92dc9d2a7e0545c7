"""What every purifier of the catalogue is worth on digits: `python -m benchmarks.zoo [NAME ...]`.

One JSON line per purifier; `value` is its compression at linf radius 0.1, `holds` whether it keeps the contract.
Survival is that of PGD-20 through the exact gradient, or BPDA's where there is none, on 16 held-out digits.
"""

import json
import math
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import torch

from analyses.zoo import CLASSIFIER, ON_DIGITS
from benchmarks.figure import Figure, machine
from purigeom.attacks.adversary import Adversary
from purigeom.attacks.pgd import PGD
from purigeom.contract import verify
from purigeom.cost import counted
from purigeom.defence.gradients import BPDA, Exact
from purigeom.defence.knowledge import Unaware
from purigeom.derivatives import UNCHECKED
from purigeom.images import Digits
from purigeom.measurements.compression import Compression
from purigeom.measurements.distances import Distances
from purigeom.measurements.survival import Survival
from purigeom.noise import Noise
from purigeom.protocols import Batch, RandomMap, declaration
from purigeom.sweep import measure

RADIUS, PROBES = 0.1, 8
IMAGES = Digits()[:16]
ATTACK = PGD(steps=20, relative_step=0.25)


def line(name: str, purifier: RandomMap, images: Digits = IMAGES, attack: PGD = ATTACK) -> dict[str, object]:
    """Return what is said of one purifier; nothing is measured of one that breaks the contract."""
    batch = images.load()
    broken = _broken(purifier, batch[:3])
    if broken:
        return asdict(Figure(f"purifier.{name}", None, None, holds=False, how=broken))
    calls, seconds = _cost(purifier, batch)
    facts = measure(purifier, batch, (Compression((RADIUS,), probes=PROBES), Distances()))
    compression = round(float(facts["compression_ratio"].mean()), 4)
    how = f"{len(batch)} digits, linf {RADIUS:g}, {attack!r}; {machine()}"
    return {
        **asdict(Figure(f"purifier.{name}", compression, None, holds=True, how=how)),
        "differentiability": declaration(purifier).differentiability,
        "network_evaluations_per_image": calls,
        "seconds_per_image": round(seconds, 5),
        **_survival(purifier, batch, attack),
        "psnr_db": _finite(float(facts["psnr"].mean())),
        "ssim": round(float(facts["ssim"].mean()), 4),
        "images_set_aside": int(facts["psnr"].isnull().all("draw").sum()),
    }


def main(names: Sequence[str], purifiers: Mapping[str, RandomMap] = ON_DIGITS) -> None:
    """Print a line for every named purifier, or for all."""
    unknown = sorted(set(names) - set(purifiers))
    if unknown:
        msg = f"There is no purifier {unknown[0]!r} for digits; there are {sorted(purifiers)}."
        raise KeyError(msg)
    torch.set_num_threads(1)
    for name in names or purifiers:
        sys.stdout.write(json.dumps(line(name, purifiers[name])) + "\n")
        sys.stdout.flush()


def _broken(purifier: RandomMap, batch: Batch) -> str:
    """Return which law of purifiers is broken; nothing where none is."""
    try:
        verify(purifier, batch, Noise(0, batch.image_ids))
    except (ValueError, TypeError, RuntimeError, FileNotFoundError) as error:
        return str(error)
    return ""


@torch.no_grad()
def _cost(purifier: RandomMap, batch: Batch) -> tuple[float, float]:
    """Return how often networks are asked for an image, and the CPU seconds that takes, once all is loaded."""
    pinned = purifier.pin(Noise(0, batch.image_ids), tuple(batch.images.shape[1:]))
    pinned(batch.images)
    started = time.process_time()
    with counted() as evaluations:
        pinned(batch.images)
    return evaluations.count / len(batch), (time.process_time() - started) / len(batch)


def _finite(value: float) -> float | None:
    """Return a number; nothing for what JSON has no word for, as where an image comes back untouched."""
    return round(value, 2) if math.isfinite(value) else None


def _survival(purifier: RandomMap, batch: Batch, attack: PGD) -> dict[str, float]:
    flat = declaration(purifier).differentiability in UNCHECKED
    looking = Adversary(attack, gradient=BPDA() if flat else Exact())
    known, unaware = (Survival(CLASSIFIER, (RADIUS,), one) for one in (looking, Adversary(attack, Unaware())))
    found, blind = (measure(purifier, batch, (question,)) for question in (known, unaware))
    shares = {
        "survival_same_configuration": found["survived"],
        "survival_cross_configuration": found["survived_fresh"],
        "survival_non_adaptive": blind["survived"],
    }
    return {name: round(float(facts.mean()), 4) for name, facts in shares.items()}


if __name__ == "__main__":
    main(sys.argv[1:])
