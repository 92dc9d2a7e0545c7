"""From a purifier nobody has attacked to its predicted robust accuracy: forward passes, then a calibration."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import xarray as xr

from purigeom.attacks.adversary import Adversary
from purigeom.attacks.apgd import APGD
from purigeom.defence.gradients import BPDA, Exact, Gradient
from purigeom.derivatives import UNCHECKED
from purigeom.geometry.displacement import Corners
from purigeom.images import checked
from purigeom.measurements.cloud import Cloud
from purigeom.measurements.compression import Compression
from purigeom.measurements.margins import Margins
from purigeom.measurements.minimal_perturbation import MinimalPerturbation
from purigeom.measurements.survival import Survival
from purigeom.prediction.answer import Prediction, predicted
from purigeom.prediction.table import tabulated
from purigeom.prediction.trust import check_alike, disagreement, extrapolations
from purigeom.protocols import Batch, Classifier, ImageSet, Measurement, RandomMap, declaration
from purigeom.purifiers.wrapped import as_classifier, as_purifier
from purigeom.sweep import as_batch, measure
from purigeom.tasks import Task

STEPS, PATIENT_STEPS = 20, 100
"""Of the attacks that calibrate, through networks and where there is none to wait for; what twice as many change is in
`python -m benchmarks.prediction steps_converged`."""
PAIRS = 8
IMAGES_AT_ONCE = 32
"""Images added at a time where an interval is to be narrow."""


def forward_questions(classifier: Classifier, radii: Sequence[float]) -> tuple[Measurement, ...]:
    """Return what is asked of a purifier: no gradient passes through it, and few through the classifier alone."""
    return (
        Compression(tuple(radii), probes=PAIRS),
        Compression(tuple(radii), Corners(), probes=PAIRS),
        Cloud(tuple(radii), Corners(), points=4 * PAIRS),
        Margins(classifier, tuple(radii), pairs=PAIRS),
        MinimalPerturbation(classifier, ("anchor",), halvings=6),
    )


def purifications(radii: Sequence[float]) -> int:
    """Return how often `forward_questions` have every image purified."""
    return (1 + len(radii) * PAIRS) * 2 + len(radii) * 4 * PAIRS + (1 + len(radii) * (2 * PAIRS + 2)) + 1


@dataclass(frozen=True)
class Effort:
    """How hard purifiers are attacked to calibrate: the gradient through networks, and steps where there is none."""

    through_networks: Gradient = Exact()
    patience: int = PATIENT_STEPS


THOROUGH = Effort()


def attack_questions(
    classifier: Classifier, radii: Sequence[float], purifier: RandomMap, effort: Effort = THOROUGH
) -> tuple[Measurement, ...]:
    """Return the attacks whose worst is a purifier's measured robustness.

    Both losses through exact gradients, or what is said to do for them where there is a network inside; where there is
    none, longer, and by the classifier's own gradient too, which is all that is left where a purifier is piecewise
    constant or has no derivatives.
    """
    said = declaration(purifier)
    steps, slopes = STEPS if said.network else effort.patience, said.differentiability not in UNCHECKED
    attacks = [APGD(steps), APGD(steps, loss="cw")]
    adversaries = [Adversary(one, gradient=BPDA()) for one in attacks if not (said.network and slopes)]
    if slopes:
        adversaries += [
            Adversary(one, gradient=effort.through_networks if said.network else Exact()) for one in attacks
        ]
    return tuple(Survival(classifier, tuple(radii), one) for one in adversaries)


def study(
    purifiers: Mapping[str, RandomMap],
    images: ImageSet,
    classifier: Classifier,
    radii: Sequence[float],
    effort: Effort = THOROUGH,
) -> list[Task]:
    """Return the tasks whose answers make a calibration: forward passes first, then attacks."""
    forward = [
        Task(name, purifier, question, images)
        for question in forward_questions(classifier, radii)
        for name, purifier in purifiers.items()
    ]
    return forward + [
        Task(name, purifier, question, images)
        for name, purifier in purifiers.items()
        for question in attack_questions(classifier, radii, purifier, effort)
    ]


def predict(
    purifier: RandomMap,
    images: Batch | ImageSet,
    classifier: Classifier,
    calibration: xr.Dataset,
    half_width: float | None = None,
) -> Prediction:
    """Measure a purifier by forward passes alone and predict its robust accuracy at the calibration's radius.

    Parameters
    ----------
    images
        Labelled images of the kind that the calibration knows.
    classifier
        The network behind the purifier, which should be the calibration's.
    calibration
        A table of `prediction.table.tabulated` that holds survival.
    half_width
        How narrow half the interval is to be: images, each with its displacements, are added block by block until it
        is, or until there are no more. None takes all images at once.
    """
    if half_width is not None and not half_width > 0:
        msg = f"predict needs a half width above zero, or None for all images; got {half_width}."
        raise ValueError(msg)
    purifier, classifier = as_purifier(purifier), as_classifier(classifier)
    started, radii, batch = time.perf_counter(), calibration.attrs["radii"], checked(as_batch(images))
    check_alike(calibration, classifier, tuple(batch.images.shape[1:]))
    for facts in _measured(purifier, batch, classifier, radii, half_width is not None):
        table = _row(purifier, facts, calibration.attrs["radius"])
        found = predicted(calibration, table)
        ends = found.isel(predictor=0)
        reached = float(ends["upper"] - ends["lower"]) / 2
        if half_width is not None and reached <= half_width:
            break
    warnings = (*extrapolations(calibration, table), *disagreement(found))
    if half_width is not None and reached > half_width:
        warnings += (_told_wide(reached, half_width, table),)
    calls = float(facts["classifier_calls"].mean())
    return Prediction(
        found,
        str(found["predictor"].values[0]),
        warnings,
        table,
        purifications(radii),
        calls,
        time.perf_counter() - started,
    )


def _measured(
    purifier: RandomMap, batch: Batch, classifier: Classifier, radii: Sequence[float], by_blocks: bool
) -> Iterator[xr.Dataset]:
    """Yield the facts of more and more images."""
    block, answers = IMAGES_AT_ONCE if by_blocks else len(batch), []
    for start in range(0, len(batch), block):
        answers.append(measure(purifier, batch[start : start + block], forward_questions(classifier, radii)))
        yield xr.concat(answers, "image", combine_attrs="override")


def _row(purifier: RandomMap, facts: xr.Dataset, radius: float) -> xr.Dataset:
    """Return one purifier's facts as a table of one row."""
    said = declaration(purifier)
    known = {"family": said.family, "network": said.network or "", "recipe": repr(purifier)}
    one = facts.expand_dims(purifier=["new"]).assign_coords(
        {name: ("purifier", [word]) for name, word in known.items()}
    )
    return tabulated(one, radius)


def _told_wide(reached: float, half_width: float, table: xr.Dataset) -> str:
    return (
        f"The interval is ± {reached:.1%} wide, not ± {half_width:.1%}: all {int(table['count'].item())} images are "
        "used, and the misses of the calibration's own purifiers do not shrink with more."
    )
