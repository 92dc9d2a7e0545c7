"""What arXiv 2505.22839 measures, on CIFAR-10 and two cores: `python -m analyses.cifar [STORE] [CLASSIFIER]`.

The questions of `analyses.paper` at linf 8/255, the central ones about 32 images and all others about a quarter of the
images that digits are asked about: samplers at three depths in four steps, one step alone, and no purifier. The network
is the repository's lean denoiser in bfloat16, the classifier the repository's own unless another is named, such as a
file. Stopped and started again, it goes on where it was.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from analyses.paper import SAMPLERS, tasks
from analyses.subject import Subject
from purigeom.attacks.pgd import PGD
from purigeom.executors import Executor, Processes
from purigeom.geometry.spectrum.adaptive import Tolerance
from purigeom.networks.quick import Quick
from purigeom.networks.unet import UNet
from purigeom.protocols import RandomMap
from purigeom.purifiers.diffusion.ddim import OneShot
from purigeom.purifiers.identity import Identity
from purigeom.sweep import run

STORE = Path("data_cache/cifar10")
RADIUS = 8 / 255
NETWORK = Quick(UNet("cifar10-ddpm"))
DEPTHS = {"ddpm": (30, 100, 150), "ddim": (30, 100, 150), "reverse-only": (100,)}
STEPS = 4
SHARE, SHARE_OF_OTHERS = 0.5, 0.25
ATTACK = PGD(steps=20, relative_step=0.25)
TOLERANCE = Tolerance(leading=0.02, share=0.02, root_mean_square=0.02, most_products=160)
"""As well as networks in bfloat16 let spectra be known."""

STUDIED: Mapping[str, RandomMap] = {
    "identity": Identity(),
    **{
        f"{name} {depth}": SAMPLERS[name](NETWORK, depth=depth, steps=STEPS)
        for name, depths in DEPTHS.items()
        for depth in depths
    },
    "one-shot 100": OneShot(NETWORK, depth=100),
}


def subject(classifier: str = "cifar10") -> Subject:
    """Return what purifiers are measured on."""
    return Subject("cifar10", classifier, RADIUS, SHARE, SHARE_OF_OTHERS, TOLERANCE, ATTACK)


def main(root: Path = STORE, classifier: str = "cifar10", executor: Executor = Processes(2)) -> Path:  # noqa: B008  frozen
    """Measure what the store lacks, say where it is and return it."""
    run(tasks(STUDIED, {}, subject(classifier)), root, executor)
    sys.stdout.write(f"{root}\n")
    return root


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m analyses.cifar", description=__doc__)
    parser.add_argument("store", nargs="?", type=Path, default=STORE)
    parser.add_argument("classifier", nargs="?", default="cifar10")
    asked = parser.parse_args()
    main(asked.store, asked.classifier)
