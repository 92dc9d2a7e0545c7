"""Geometry of the demo's diffusion purifiers on held-out digits: `python -m analyses.geometry_of_digits [STORE]`.

Spectra, curvature, directions and singular vectors of DDPM, ReverseOnly and DDIM at the demo's depths: ten minutes of
one-thread work, half of that for two processes with a core each. Stopped and started again, it goes on where it was.
"""

import sys
from pathlib import Path

from purigeom.catalog import DIGITS_UNET
from purigeom.demo import DEPTHS, SAMPLERS, STEPS
from purigeom.executors import Executor, Processes
from purigeom.images import Digits
from purigeom.measurements.compression import Compression
from purigeom.measurements.curvature import Curvature
from purigeom.measurements.directions import Directions
from purigeom.measurements.leading_spectrum import LeadingSpectrum
from purigeom.measurements.singular_vectors import SingularVectors
from purigeom.measurements.spectrum import Spectrum
from purigeom.protocols import ImageSet, Measurement
from purigeom.sweep import Task, run

RADII = (0.05, 0.1, 0.2)
IMAGES = Digits()[:32]
FEW = IMAGES[:16]
SHOWN = IMAGES[:4]
QUESTIONS: tuple[tuple[Measurement, ImageSet], ...] = (
    (Spectrum(draws=2), IMAGES),
    (Compression(RADII, draws=2), IMAGES),
    (Curvature(RADII, draws=2), IMAGES),
    (LeadingSpectrum(), FEW),
    (Directions(Digits("train")), FEW),
    (SingularVectors(), SHOWN),
)
"""What iterates per image is asked about fewer images: for as few pixels it costs more than the whole Jacobian."""
STORE = Path("data_cache/geometry")


def tasks() -> list[Task]:
    """Return everything that is measured."""
    purifiers = {
        f"{name} {depth}": sampler(DIGITS_UNET, depth=depth, steps=STEPS)
        for name, sampler in SAMPLERS.items()
        for depth in DEPTHS
    }
    return [
        Task(name, purifier, question, images) for question, images in QUESTIONS for name, purifier in purifiers.items()
    ]


def main(root: Path = STORE, executor: Executor = Processes(2)) -> None:  # noqa: B008  a frozen description
    """Measure what the store lacks, and say where it is."""
    sys.stdout.write(f"{run(tasks(), root, executor)}\n")


if __name__ == "__main__":
    main(*(Path(word) for word in sys.argv[1:]))
