"""Everything that arXiv 2505.22839 measures, on held-out digits: `python -m analyses.paper [STORE] [--images ...]`.

One store for all figures and tables: three samplers at six depths, their one-step limit, no purifier, and two samplers
in other numbers of steps; 25 minutes of one-thread work, half of that for two processes with a core each. Stopped
and started again, it goes on where it was. Other images, purifiers, classifiers and radii take the same questions.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import sqrt
from pathlib import Path

from analyses.subject import Asked, Subject, fewer
from purigeom.attacks.adversary import Adversary
from purigeom.attacks.pgd import PGD
from purigeom.catalog import DIGITS_UNET, PURIFIERS
from purigeom.defence.gradients import BPDA
from purigeom.defence.knowledge import EOT
from purigeom.executors import Executor, Processes
from purigeom.geometry.displacement import Corners
from purigeom.measurements.anchors import Anchors
from purigeom.measurements.attacked_compression import AttackedCompression
from purigeom.measurements.attacked_distances import AttackedDistances
from purigeom.measurements.boundary_scan import BoundaryScan
from purigeom.measurements.boundary_slice import BoundarySlice
from purigeom.measurements.caps import Caps
from purigeom.measurements.cloud import Cloud
from purigeom.measurements.compression import Compression
from purigeom.measurements.directions import Directions
from purigeom.measurements.distances import Distances
from purigeom.measurements.features import Features, Logits
from purigeom.measurements.gradient_geometry import GradientGeometry
from purigeom.measurements.minimal_perturbation import MinimalPerturbation
from purigeom.measurements.perturbed_distances import PerturbedDistances
from purigeom.measurements.steadiness import Steadiness
from purigeom.measurements.survival import Survival
from purigeom.naming import named
from purigeom.protocols import RandomMap, declaration
from purigeom.purifiers.diffusion.ddim import DDIM, OneShot
from purigeom.purifiers.diffusion.ddpm import DDPM, ReverseOnly
from purigeom.purifiers.identity import Identity
from purigeom.questions import images_to_compare_with
from purigeom.sweep import Task, run

STORE = Path("data_cache/paper")
WORKERS = Processes(2)
SAMPLERS = {"ddpm": DDPM, "reverse-only": ReverseOnly, "ddim": DDIM}
DEPTHS = (10, 30, 60, 100, 150, 220)
STEPS, DEPTH, OTHER_STEPS = 4, 100, (2, 8, 16)
PROBES = 50
"""As many as in the paper."""
DRAWS, JUDGEMENTS = 4, 4

PAPER: Mapping[str, RandomMap] = {
    "identity": Identity(),
    **{
        f"{name} {depth}": sampler(DIGITS_UNET, depth=depth, steps=STEPS)
        for name, sampler in SAMPLERS.items()
        for depth in DEPTHS
    },
    **{f"one-shot {depth}": OneShot(DIGITS_UNET, depth=depth) for depth in (30, 100, 220)},
}
IN_OTHER_STEPS: Mapping[str, RandomMap] = {
    f"{name} {DEPTH} in {steps}": SAMPLERS[name](DIGITS_UNET, depth=DEPTH, steps=steps)
    for name in ("ddpm", "ddim")
    for steps in OTHER_STEPS
}


THE_DIGITS = Subject()
FORWARD = (Distances, Compression, Features, PerturbedDistances, Steadiness, Anchors, Cloud, Caps, MinimalPerturbation)
"""Whatever takes no derivative of a purifier."""


def central(subject: Subject) -> Asked:
    """Return what the curve and the tables need, asked of every purifier."""
    classifier, radii = subject.load()[1], (subject.radius,)
    return [
        (Distances(DRAWS), 64),
        (Compression(radii, probes=PROBES), 64),
        (Survival(classifier, radii, subject.attack, judgements=JUDGEMENTS), 64),
        (Features(Logits(classifier, Path(subject.classifier).name), DRAWS), 64),
    ]


def about_outputs(subject: Subject) -> Asked:
    """Return what is asked by forward passes and of Jacobians."""
    images, classifier = subject.load()
    reach, radii = subject.radius * sqrt(images[:1].load().images[0].numel()), (subject.radius,)
    return [
        (PerturbedDistances(radii, draws=DRAWS), 64),
        (Compression(radii, Corners(), PROBES), 32),
        (Steadiness(radii, points=32), 16),
        (Anchors(classifier, radii), 64),
        (Cloud(radii), 16),
        (subject.spectrum(), 16),
        (Directions(images_to_compare_with(subject.images), tolerance=subject.tolerance), 8),
        (Caps(classifier, tuple(share * reach for share in (0.5, 1.0, 2.0))), 32),
    ]


def about_attacks(subject: Subject) -> Asked:
    """Return what is asked of boundaries and gradients, and the attackers that know less or differentiate otherwise."""
    classifier, radii = subject.load()[1], (subject.radius,)
    longer = replace(subject.attack, steps=2 * subject.attack.steps)
    attackers = [
        (Adversary(subject.attack, gradient=BPDA()), 64),
        (Adversary(subject.attack, EOT(8, "logits"), BPDA()), 32),
        (Adversary(subject.attack, EOT(8)), 16),
    ]
    return [
        (AttackedDistances(classifier, radii, subject.attack), 32),
        (AttackedCompression(classifier, radii, subject.attack, boundary_attack=PGD(10, norm="l2")), 32),
        (MinimalPerturbation(classifier, attack=subject.attack), 32),
        (BoundaryScan(classifier, subject.radius, attack=subject.attack), 16),
        (BoundarySlice(classifier, subject.radius, attack=subject.attack, points=25), 2),
        (GradientGeometry(classifier, counts=(1, 4, 16)), 16),
        (Survival(classifier, radii, longer, judgements=JUDGEMENTS), 32),
        *((Survival(classifier, radii, who, judgements=JUDGEMENTS), count) for who, count in attackers),
    ]


def tasks(
    purifiers: Mapping[str, RandomMap] = PAPER,
    briefly: Mapping[str, RandomMap] = IN_OTHER_STEPS,
    subject: Subject = THE_DIGITS,
) -> list[Task]:
    """Return all questions about the purifiers, and the central ones about those that are asked `briefly`.

    A purifier without derivatives, or with none but zero, is asked for forward passes alone.
    """
    images, everyone = subject.load()[0], {**purifiers, **briefly}
    others = [*about_outputs(subject), *about_attacks(subject)]
    asked = [(one, everyone) for one in fewer(central(subject), subject.share)]
    asked += [(one, purifiers) for one in fewer(others, subject.share_of_others)]
    return [
        Task(name, purifier, question, images[:count])
        for (question, count), several in asked
        for name, purifier in several.items()
        if isinstance(question, FORWARD) or declaration(purifier).differentiability in ("exact", "unrolled")
    ]


def measured(
    root: Path = STORE,
    words: Sequence[str] = (),
    subject: Subject = THE_DIGITS,
    executor: Executor = WORKERS,
) -> Path:
    """Measure what the store lacks; return it. Unless purifiers are named, they are the paper's on digits."""
    chosen = {word.rpartition(":")[2]: named(word, PURIFIERS, "purifier") for word in words}
    asked = tasks(chosen, {}, subject) if chosen else tasks(subject=subject)
    return run(asked, root, executor)


def main(words: Sequence[str]) -> None:
    """Measure what the command line names, and say where it is."""
    parser = argparse.ArgumentParser(prog="python -m analyses.paper", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("store", nargs="?", type=Path, default=STORE)
    parser.add_argument("--images", default=Subject.images, help="NAME[:COUNT] or file.npz[:COUNT]")
    parser.add_argument("--purifiers", nargs="+", default=(), help="catalogue names or path.py:OBJECT")
    parser.add_argument("--classifier", default=Subject.classifier, help="catalogue name, path.py:OBJECT or a file")
    parser.add_argument("--radius", type=float, default=Subject.radius, help="of displacements and attacks, linf")
    parser.add_argument("--share", type=float, default=Subject.share, help="of the images that digits are asked about")
    found = parser.parse_args(words)
    subject = Subject(found.images, found.classifier, found.radius, found.share, found.share)
    root = measured(found.store, found.purifiers, subject)
    sys.stdout.write(f"{root}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
