"""How compression and its curve move with what the paper leaves open: `python -m analyses.sensitivity [STORE]`.

Three samplers at four depths on 32 digits, then the same with the sampler's own open choices made otherwise; prints one
line per choice. Five minutes of one-thread work; stopped and started again, it goes on where it was.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import sqrt
from pathlib import Path

import xarray as xr

from analyses.paper import SAMPLERS, STEPS
from analyses.subject import ATTACK
from purigeom import store
from purigeom.catalog import CLASSIFIERS, DIGITS_UNET
from purigeom.executors import Executor, Processes
from purigeom.fit import fit_sigmoid, standard_errors
from purigeom.geometry.displacement import Corners, Sphere, UniformBall
from purigeom.images import Digits
from purigeom.judging import cleared
from purigeom.means import estimate
from purigeom.measurements.compression import Compression
from purigeom.measurements.survival import Survival
from purigeom.plot.facts import one_setting
from purigeom.protocols import ImageSet, RandomMap
from purigeom.sweep import Task, run
from purigeom.tables.cells import cell
from purigeom.tables.writing import Table, markdown

STORE = Path("data_cache/sensitivity")
WORKERS = Processes(2)
IMAGES = Digits()[:32]
RADIUS = 0.2
RADII = (0.05, RADIUS, 0.4)
DEPTHS = (10, 30, 100, 220)
PROBES = (2, 8, 32)
SHOWN = "ddpm 100"

USUAL: Mapping[str, RandomMap] = {
    f"{name} {depth}": sampler(DIGITS_UNET, depth=depth, steps=STEPS)
    for name, sampler in SAMPLERS.items()
    for depth in DEPTHS
}
OTHERWISE: Mapping[str, Callable[[str, RandomMap], RandomMap]] = {
    "denoised guess unclipped": lambda _, one: replace(one, clip=False),
    "reverse-only rescaled": lambda name, one: replace(one, rescale=True) if name.startswith("reverse") else one,
    "variance large": lambda name, one: one if name.startswith("ddim") else replace(one, variance="large"),
}
"""What a purifier becomes under another choice; one that does not change is measured once."""


@dataclass(frozen=True)
class Setting:
    """A choice, what it is set to, and the compression and survival that it makes."""

    choice: str
    value: str
    compression: xr.DataArray
    survived: xr.DataArray


def changed(value: str, usual: Mapping[str, RandomMap] = USUAL) -> dict[str, tuple[str, RandomMap]]:
    """Return by usual name what every purifier is called, and is, under another choice."""
    others = {name: OTHERWISE[value](name, one) for name, one in usual.items()}
    return {name: (name if one == usual[name] else f"{name}, {value}", one) for name, one in others.items()}


def tasks(usual: Mapping[str, RandomMap] = USUAL, images: ImageSet = IMAGES) -> list[Task]:
    """Return everything that is measured."""
    everyone = {**usual, **dict(pair for value in OTHERWISE for pair in changed(value, usual).values())}
    length = RADIUS * sqrt(images.load().images[0].numel() / 3)
    everywhere = (Compression(RADII, probes=PROBES[-1]), Survival(CLASSIFIERS["digits"], (RADIUS,), ATTACK))
    sometimes = (Compression((RADIUS,), Corners(), PROBES[-1]), Compression((length,), Sphere(), PROBES[-1]))
    return [
        Task(name, purifier, question, images)
        for questions, purifiers in ((everywhere, everyone), (sometimes, usual))
        for question in questions
        for name, purifier in purifiers.items()
    ]


def settings(results: xr.Dataset, usual: Mapping[str, RandomMap] = USUAL) -> Iterator[Setting]:
    """Yield every choice: one at a time differs from uniform displacements of the usual radius and all probes."""
    survived = _single(cleared(results)["survived"], "attack")
    ratios, names = results["compression_ratio"], list(usual)
    uniform, known = ratios.sel(displacement=UniformBall.label, drop=True), survived.sel(purifier=names)
    usually = uniform.sel(radius=RADIUS, purifier=names)
    yield Setting("displacement", UniformBall.label, usually, known)
    for kind in (Corners, Sphere):
        moved = _single(ratios.sel(displacement=[kind.label], purifier=names), "displacement")
        yield Setting("displacement", kind.label, moved, known)
    for radius in RADII:
        yield Setting("radius", f"{radius:g}", uniform.sel(radius=radius, purifier=names), known)
    for probes in PROBES:
        yield Setting("probes", str(probes), usually.isel(probe=slice(probes)), known)
    for value in OTHERWISE:
        others = [name for name, _ in changed(value, usual).values()]
        yield Setting("purifier", value, uniform.sel(radius=RADIUS, purifier=others), survived.sel(purifier=others))


def _single(facts: xr.DataArray, dim: str) -> xr.DataArray:
    """Return facts of their one setting and of their one radius."""
    return one_setting(one_setting(facts, "Sensitivity", dim), "Sensitivity", "radius")


def sensitivity(results: xr.Dataset, usual: Mapping[str, RandomMap] = USUAL, shown: str = SHOWN) -> Table:
    """Return how the compression of one purifier, and the curve of all, move with every choice."""
    rows = []
    for one in settings(results, usual):
        compression, survival = estimate(one.compression), estimate(one.survived)
        place = list(usual).index(shown)
        means = (cell(compression.isel(purifier=place)), f"{compression['mean'].mean().item():.3f}")
        rows.append((one.choice, one.value, *means, *_fitted(compression, survival)))
    columns = ("choice", "value", f"compression of {shown}", "of all", "midpoint", "slope", "ceiling")
    return Table(f"What the open choices move, linf {RADIUS}, {ATTACK.label}", columns, tuple(rows))


def _fitted(compression: xr.Dataset, survival: xr.Dataset) -> tuple[str, str, str]:
    """Return the sigmoid's parameters with their standard errors; a ceiling without one is at its bound."""
    columns = (compression["mean"].values, survival["mean"].values, survival["count"].values)
    try:
        fit = fit_sigmoid(*columns, ceiling=None)
    except (ValueError, RuntimeError) as error:
        return (f"not told: {str(error).partition('.')[0]}", "", "")
    errors = standard_errors(fit)
    middle, steep, top = (
        f"{getattr(fit, name):.3g}" + (f" ± {errors[name]:.2g}" if name in errors else "")
        for name in ("midpoint", "slope", "ceiling")
    )
    return middle, steep, top


def main(root: Path = STORE, executor: Executor = WORKERS) -> None:
    """Measure what the store lacks, and print the table."""
    sys.stdout.write(f"{markdown(sensitivity(store.load(run(tasks(), root, executor)).load()))}\n")


if __name__ == "__main__":
    main(*(Path(word) for word in sys.argv[1:]))
