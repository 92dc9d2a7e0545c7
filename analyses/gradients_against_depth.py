"""Gradients through ever deeper purifiers, on held-out digits: `python -m analyses.gradients_against_depth [STORE]`.

DDPM with every step of the chain at depths up to 900 of 1000, and its deterministic twin DDIM: the gradient of the
cross-entropy at clean images, its length over that of the classifier's own gradient, and its cosine with that of other
configurations. Minutes of one-thread work; stopped and started again, it goes on where it was.
"""

import sys
from pathlib import Path

from purigeom import store
from purigeom.catalog import CLASSIFIERS, DIGITS_UNET
from purigeom.commands import means
from purigeom.executors import Executor, Processes
from purigeom.images import Digits
from purigeom.measurements.gradient_geometry import GradientGeometry
from purigeom.purifiers.diffusion.ddim import DDIM
from purigeom.purifiers.diffusion.ddpm import DDPM
from purigeom.sweep import Task, run

DEPTHS = (25, 50, 100, 200, 300, 450, 600, 900)
IMAGES = Digits()[:16]
QUESTION = GradientGeometry(CLASSIFIERS["digits"], counts=(1,), draws=2)
STORE = Path("data_cache/gradients")


def tasks() -> list[Task]:
    """Return everything that is measured."""
    samplers = {"ddpm": DDPM, "ddim": DDIM}
    return [
        Task(f"{name} {depth}", sampler(DIGITS_UNET, depth=depth, steps=depth), QUESTION, IMAGES)
        for name, sampler in samplers.items()
        for depth in DEPTHS
    ]


def main(root: Path = STORE, executor: Executor = Processes(2)) -> None:  # noqa: B008  a frozen description
    """Measure what the store lacks, and print the means."""
    sys.stdout.write(f"{means(store.load(run(tasks(), root, executor)).load())}\n")


if __name__ == "__main__":
    main(*(Path(word) for word in sys.argv[1:]))
