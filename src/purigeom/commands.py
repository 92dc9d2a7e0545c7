"""What the commands do, as functions that return the text to print."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import xarray as xr

from purigeom import catalog, forecast, pace, store
from purigeom.contract import verify
from purigeom.defence.defended import Defended
from purigeom.defence.diagnosis import diagnosed
from purigeom.derivatives import derivatives_told
from purigeom.executors import Executor
from purigeom.images import checked
from purigeom.judging import VERDICTS, judged
from purigeom.means import estimates
from purigeom.naming import classifier_named, images_named, named, purifier_named, varied
from purigeom.noise import Noise
from purigeom.protocols import RandomMap
from purigeom.purifiers.precision import quickened, steadied
from purigeom.questions import Asked, images_to_compare_with, known_measurements
from purigeom.sweep import Task, run

FOUR_DIGITS = 1e-3
"""Numbers below it lose their meaning when four digits after the point are printed."""
PICTURED = {"row", "along"}
"""Dimensions of images and of planes, which no table holds."""


@dataclass(frozen=True)
class Where:
    """Where answers go, and who computes them."""

    out: str
    seed: int
    device: str
    dtype: str
    executor: Executor
    quiet: bool
    precision: str = "full"


def measured(words: Sequence[str], vary: str, images: str, asked: Asked, where: Where) -> str:
    """Measure purifiers into a store; return a table of their means."""
    tasks = _tasks(words, vary, images, asked, where)
    results = store.load(run(tasks, where.out, where.executor, device=where.device, quiet=where.quiet))
    return means(_with_verdicts(results.sel(purifier=list(dict.fromkeys(task.purifier_name for task in tasks)))))


def foretold(words: Sequence[str], vary: str, images: str, asked: Asked, where: Where) -> str:
    """Say what `measured` would cost; write nothing."""
    return forecast.told(_tasks(words, vary, images, asked, where), where.out, where.device)


def _tasks(words: Sequence[str], vary: str, images: str, asked: Asked, where: Where) -> list[Task]:
    known = known_measurements(asked, images_to_compare_with(images))
    questions = [named(word, known, "measurement") for word in asked.measurements]
    purifiers = {name: quickened(one, where.precision) for name, one in _purifiers(words).items()}
    if asked.rows_at_once:
        purifiers = {name: steadied(one, asked.rows_at_once) for name, one in purifiers.items()}
    if vary:
        settings = [varied(name, purifier, vary) for name, purifier in purifiers.items()]
        purifiers = {name: purifier for setting in settings for name, purifier in setting.items()}
    image_set = images_named(images, catalog.IMAGES)
    return [
        Task(name, purifier, question, image_set, where.seed, where.dtype)
        for name, purifier in purifiers.items()
        for question in questions
    ]


def _with_verdicts(results: xr.Dataset) -> xr.Dataset:
    """Return the results with what survives under every protocol in place of single verdicts."""
    return results.drop_vars(VERDICTS).merge(judged(results)) if set(VERDICTS) <= set(results) else results


def means(results: xr.Dataset) -> str:
    """Return every mean with its standard error, a line per purifier and setting, and whose tolerance was not met."""
    lines: list[tuple[str, str, str]] = []
    found = estimates(results)
    for name in [name for name in found if f"{name}_standard_error" in found and not PICTURED & set(found[name].dims)]:
        pairs = xr.Dataset({"mean": found[name], "error": found[f"{name}_standard_error"]})
        settings = [dim for dim in pairs.dims if dim not in ("purifier", "mode")]
        if "mode" in pairs.dims:
            pairs = pairs.isel(mode=0)
        for place, row in pairs.stack(setting=["purifier", *settings]).groupby("setting"):
            where = " ".join(str(part) for part in place) if isinstance(place, tuple) else str(place)
            lines.append((str(name), where, _said(row["mean"].item(), row["error"].item())))
    lines += [("tolerance_met", name, f"not met for {count} images") for name, count in _unmet(results).items()]
    wide, wider = (max((len(line[part]) for line in lines), default=0) for part in (0, 1))
    return "\n".join(f"{name:{wide}} {where:{wider}} {said}" for name, where, said in lines)


def _said(mean: float, error: float) -> str:
    """Return a mean and its standard error, in powers of ten where four digits after the point show none of it.

    What is infinite, as where nothing was changed, has no error.
    """
    if math.isinf(mean):
        return f"{mean}"
    form = ".1e" if 0 < abs(mean) < FOUR_DIGITS else ".4f"
    return f"{mean:{form}} ± {error:{form}}"


def _unmet(results: xr.Dataset) -> dict[str, int]:
    """Return, for purifiers that have some, how many images did not meet the tolerance in every draw."""
    if "tolerance_met" not in results:
        return {}
    unmet = (results["tolerance_met"] == 0).any("draw").sum("image")
    return {str(name): int(count) for name, count in zip(unmet["purifier"].values, unmet.values, strict=True) if count}


def contents(root: str) -> str:
    """Return what a store holds, a line per segment, and how long the rest of every question will take."""
    found = store.progress_of(root)
    if not found:
        msg = f"{root} holds no segment of a purigeom store. Check the path."
        raise FileNotFoundError(msg)
    lines = []
    for progress in found:
        plan = progress.plan
        counts = f"{len(plan.rows)} purifiers x {len(plan.image_ids)} images"
        done = f"{len(progress.done)} units done, {progress.missing} missing{_missing(progress)}"
        asked = f"{plan.question.measurement['description']}, seed {plan.question.seed}"
        lines.append(f"{plan.label}: {counts}, {done}\n  {asked}")
    return "\n".join([*lines, *pace.rest(root)])


def _missing(progress: store.Progress) -> str:
    blocks = range(progress.plan.blocks)
    names = [
        row.purifier
        for place, row in enumerate(progress.plan.rows)
        if any((place, block) not in progress.done for block in blocks)
    ]
    return f": {', '.join(names)}" if names else ""


def verified(word: str, images: str, seed: int) -> str:
    """Verify a purifier's contract and derivatives; return the good news, or raise with the bad."""
    batch = checked(images_named(images, catalog.IMAGES).load())
    purifier = purifier_named(word, catalog.PURIFIERS)
    noise = Noise(seed, batch.image_ids)
    verify(purifier, batch, noise)
    told = derivatives_told(purifier, batch, noise)
    return f"{purifier!r} keeps the contract on {len(batch)} images.\n{told}"


def diagnosis(word: str, images: str, classifier: str, radius: float, seed: int) -> str:
    """Say what is suspicious of a purifier before a classifier, or that nothing was found."""
    batch = checked(images_named(images, catalog.IMAGES).load())
    front, behind = purifier_named(word, catalog.PURIFIERS), classifier_named(classifier, catalog.CLASSIFIERS)
    faults = diagnosed(Defended(front, behind), batch, Noise(seed, batch.image_ids), radius).faults
    return "\n".join(faults) or f"Nothing suspicious of {front!r} before {behind!r}, on {len(batch)} images."


def _purifiers(words: Sequence[str]) -> dict[str, RandomMap]:
    """Return purifiers by the name under which they are stored: an object's own name without its file."""
    purifiers: dict[str, RandomMap] = {}
    for word in dict.fromkeys(words):
        name = word.rpartition(":")[2]
        if name in purifiers:
            msg = f"{word!r} would be stored as {name!r}, which an earlier purifier is. Rename one of them."
            raise ValueError(msg)
        purifiers[name] = purifier_named(word, catalog.PURIFIERS)
    return purifiers
