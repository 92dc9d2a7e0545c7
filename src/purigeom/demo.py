"""The main job at the smallest size: a compression-robustness curve on handwritten digits."""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import xarray as xr

from purigeom import report, store
from purigeom.attacks.pgd import PGD
from purigeom.calibration import calibrate
from purigeom.catalog import BASELINES, CLASSIFIERS, DIGITS_UNET
from purigeom.executors import Executor, Processes
from purigeom.images import Digits
from purigeom.measurements.compression import Compression
from purigeom.measurements.distances import Distances
from purigeom.measurements.gallery import Gallery
from purigeom.measurements.spectrum import Spectrum
from purigeom.measurements.survival import Survival
from purigeom.plot import compression_robustness, gallery, spectrum
from purigeom.plot.style import as_svg, save
from purigeom.protocols import Measurement, RandomMap, declaration, differentiates
from purigeom.purifiers.diffusion.ddim import DDIM
from purigeom.purifiers.diffusion.ddpm import DDPM, ReverseOnly
from purigeom.sweep import Task, run

RADIUS = 0.2
DEPTHS = (10, 30, 60, 110, 180)
STEPS = 4
ATTACK = PGD(steps=10, relative_step=1.0)
"""Doubling its steps moves no purifier's survival by 2 points: `python -m benchmarks.attack_steps`."""
IMAGES = Digits()[:128]
SHOWN = IMAGES[:8]
WORKERS = Processes(min(4, os.cpu_count() or 1))
"""One thread each: on small networks two processes beat two threads, by far where other programs want the cores."""
SAMPLERS = {"ddpm": DDPM, "reverse-only": ReverseOnly, "ddim": DDIM}
PURIFIERS: Mapping[str, RandomMap] = {
    **BASELINES,
    **{
        f"{name} {depth}": sampler(DIGITS_UNET, depth=depth, steps=STEPS)
        for name, sampler in SAMPLERS.items()
        for depth in DEPTHS
    },
}
MEASUREMENTS: Sequence[Measurement] = (
    Compression((RADIUS,)),
    Distances(),
    Spectrum(),
    Survival(CLASSIFIERS["digits"], (RADIUS,), ATTACK),
)


@dataclass(frozen=True)
class Outcome:
    """Where the demo's results lie, and how long measuring took."""

    store: Path
    report: Path
    figures: tuple[Path, ...]
    seconds: float


def tasks() -> list[Task]:
    """Return everything the demo measures; whoever is piecewise constant has no derivatives worth a question."""
    measured = [
        Task(name, purifier, question, IMAGES)
        for name, purifier in PURIFIERS.items()
        for question in MEASUREMENTS
        if not (differentiates(question) and declaration(purifier).differentiability == "piecewise constant")
    ]
    return measured + [Task(name, purifier, Gallery(), SHOWN) for name, purifier in PURIFIERS.items()]


def demonstrate(root: Path, executor: Executor = WORKERS, *, quiet: bool = False) -> Outcome:
    """Measure what the store lacks, fit, draw, and write the report."""
    started = time.perf_counter()
    results = store.load(run(tasks(), root / "store", executor, quiet=quiet)).load()
    figures = {
        "compression_robustness": compression_robustness.draw(results),
        "spectrum": spectrum.draw(results),
        "gallery": gallery.draw(results.sel(purifier=_shown_purifiers()), SHOWN.load()),
    }
    saved = [path for name, figure in figures.items() for path in save(figure, root / name)]
    text = _page(results, {name: as_svg(figure) for name, figure in figures.items()}, root / "store")
    (root / "report.html").write_text(text)
    return Outcome(root / "store", root / "report.html", tuple(saved), time.perf_counter() - started)


def _shown_purifiers() -> list[str]:
    """Return the baselines and, of every sampler, the shallowest, a middle and the deepest purifier."""
    depths = (DEPTHS[0], DEPTHS[len(DEPTHS) // 2], DEPTHS[-1])
    chosen = [*BASELINES, *(f"{name} {depth}" for name in SAMPLERS for depth in depths)]
    return [name for name in chosen if name in PURIFIERS]


def _page(results: xr.Dataset, drawn: Mapping[str, str], root: Path) -> str:
    count = results.sizes["image"]
    sections = [
        (
            "What survives follows what is compressed",
            report.figure(drawn["compression_robustness"], _curve_caption(count)),
        ),
        ("The fitted sigmoid", report.fit_sentence(calibrate(results))),
        ("Where the compression happens", report.figure(drawn["spectrum"], _spectrum_caption(count))),
        (
            "Before and after",
            report.figure(drawn["gallery"], "Held-out digits, and one draw of every purifier."),
        ),
        (
            "All purifiers",
            f"<p>Means and standard errors over {count} images; click a head to sort.</p>{report.table(results)}",
        ),
        (
            "What survives, and how that was judged",
            "<p>Attacker, what it knew of the randomness, and its gradients; fresh draws are ones it never saw.</p>"
            f"{report.attacks(results)}",
        ),
        ("What made these numbers", report.definitions(_recipe(root))),
    ]
    return report.page("purigeom: compression and robustness of purified digits", sections)


def _curve_caption(count: int) -> str:
    return (
        f"{count} held-out digits, {ATTACK.label} of radius {RADIUS} with exact gradients through the pinned "
        "purifier, judged with the same randomness. Bars: two standard errors over images. Band: 95 % of the "
        "mean fitted to the diffusion purifiers and to none at all. Hollow: outside the fit. Linear filters compress "
        "without protecting, and where the attacker gets no gradient survival says little."
    )


def _spectrum_caption(count: int) -> str:
    return f"All 64 singular values of the exact Jacobian at the clean image, median over {count} images; dotted: 0.25."


def _recipe(root: Path) -> dict[str, str]:
    made = store.provenance(root)
    versions = made[0]["versions"]
    return {
        "images": repr(IMAGES),
        **{question.label: repr(question) for question in MEASUREMENTS},
        "seed": "0",
        "versions": ", ".join(f"{name} {number}" for name, number in versions.items()),
        "commit": made[0]["commit"],
        "measured in": f"{sum(unit['seconds'] for unit in made):.0f} s of one-thread work",
    }
