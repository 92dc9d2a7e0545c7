"""What predictions without gradients are worth, and what they save: `python -m benchmarks.prediction [NAME ...]`.

Errors come from the shipped calibrations, which `python -m analyses.calibration_of_digits` measures; figures whose name
ends in @0.2 are of linf radius 0.2, all others of 0.1. Seconds and evaluations are measured here and now.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial

import xarray as xr

from benchmarks.figure import Figure, at_least, at_most, chosen, print_line
from benchmarks.prediction_costs import attack_evaluations, prediction_evaluations, seconds, steps_converged
from purigeom.attacks.adversary import Adversary
from purigeom.attacks.pgd import PGD
from purigeom.defence.knowledge import EOT
from purigeom.fit.errors import errors
from purigeom.fit.held_out import coverage, held_out, nested_intervals
from purigeom.fit.learners import sigmoid_of
from purigeom.prediction.compared import LEARNERS, PREDICTORS, YARDSTICKS, Compared, compared
from purigeom.prediction.files import load, shipped
from purigeom.prediction.kin import kinds

RADII = (0.1, 0.2)


@cache
def table(radius: float) -> xr.Dataset:
    """Return the shipped calibration of a radius."""
    return load(shipped()[f"digits-linf-{radius:g}"])


@cache
def tried(name: str, radius: float) -> Compared:
    """Return one predictor's errors and coverage."""
    return compared(name, table(radius))


def settings(radius: float) -> Figure:
    """Return how many purifiers the calibration knows."""
    return at_least("settings", table(radius).sizes["purifier"], 25, f"purifiers in 'digits-linf-{radius:g}'")


def families(radius: float) -> Figure:
    """Return of how many families they are."""
    known = sorted(set(table(radius)["family"].values.tolist()))
    return at_least("families", len(known), 8, f"families in 'digits-linf-{radius:g}': {', '.join(known)}")


def error_in_sample(name: str, radius: float) -> Figure:
    """Return how far a predictor is off on what it learnt from."""
    found = tried(name, radius).in_sample
    how = f"mean absolute error in points, with a 90 % interval from a bootstrap over purifiers: {found.sentence}"
    return at_most(_called("mae_in_sample", name, radius), found.everywhere.mean, None, how)


def error_left_out(name: str, radius: float) -> Figure:
    """Return how far a predictor is off on families it has not seen."""
    found = tried(name, radius).left_out
    how = (
        f"mean absolute error in points, each family predicted from the others, with a 90 % interval from a bootstrap "
        f"over families: {found.sentence}; worst families: {_worst(name, radius)}"
    )
    return at_most(_called("mae_leave_family_out", name, radius), found.everywhere.mean, 5, how)


def error_sampler_out(name: str, radius: float) -> Figure:
    """Return how far a predictor that knows the network is off on samplers it has not seen."""
    known = table(radius)
    diffusion = known.isel(purifier=known["family"].values == "diffusion")
    samplers = kinds(diffusion)
    found = errors(held_out(SAMPLED[name], diffusion, samplers), diffusion, samplers)
    ends = nested_intervals(SAMPLED[name], diffusion, samplers)
    how = (
        f"mean absolute error in points over {len(samplers)} diffusion purifiers of one network, each of "
        f"{found.groups} samplers predicted from the others, with a 90 % interval from a bootstrap over samplers: "
        f"{found.sentence}; "
        f"90 % intervals cover {coverage(*ends, diffusion['survival'].values):.0%}"
    )
    return at_most(_called("mae_leave_sampler_out", name, radius), found.everywhere.mean, None, how)


def covered(name: str, radius: float) -> Figure:
    """Return how often a predictor's intervals hold for families that neither it nor they have seen."""
    share, goal = tried(name, radius).coverage, (0.85, 0.95)
    how = f"share of purifiers within the 90 % jackknife+ interval made without their family; goal {goal}"
    return Figure(_called("coverage90", name, radius), float(f"{share:.5g}"), 0.9, goal[0] <= share <= goal[1], how)


def _called(figure: str, name: str, radius: float) -> str:
    return f"{figure}.{name.replace(', ', ' ').replace(' ', '-')}" + ("" if radius == RADII[0] else f"@{radius:g}")


def _worst(name: str, radius: float) -> str:
    known = table(radius)
    missed = 100 * (held_out(LEARNERS[name], known, known["family"].values) - known["survival"].values)
    means = {str(one): missed[known["family"].values == one].mean() for one in set(known["family"].values)}
    worst = sorted(means, key=lambda one: -abs(means[one]))[:3]
    return ", ".join(f"{one} {means[one]:+.1f}" for one in worst)


SAMPLED = {**PREDICTORS, "depth alone": sigmoid_of("depth"), "constant": YARDSTICKS["constant"]}
"""What is tried within diffusion, where purifiers have a depth."""


def _figures() -> Iterator[tuple[str, Callable[[], Figure]]]:
    yield "settings", partial(settings, RADII[0])
    yield "families", partial(families, RADII[0])
    for radius in RADII:
        for name in LEARNERS:
            yield _called("mae_in_sample", name, radius), partial(error_in_sample, name, radius)
            yield _called("mae_leave_family_out", name, radius), partial(error_left_out, name, radius)
        for name in PREDICTORS:
            yield _called("coverage90", name, radius), partial(covered, name, radius)
        for name in SAMPLED:
            yield _called("mae_leave_sampler_out", name, radius), partial(error_sampler_out, name, radius)
    for name in PREDICTORS:
        yield _called("seconds", name, RADII[0]), partial(seconds, name, RADII[0])
    yield "prediction_evaluations", partial(prediction_evaluations, RADII[0])
    yield "attack_evaluations.pgd-20", partial(attack_evaluations, Adversary(PGD()), 20)
    yield "attack_evaluations.pgd-200-eot", partial(attack_evaluations, Adversary(PGD(), EOT(20)), 200)
    yield "steps_converged", steps_converged


FIGURES: Mapping[str, Callable[[], Figure]] = dict(_figures())


def main(names: Sequence[str]) -> None:
    """Print the named figures, or all."""
    for name in chosen(names, FIGURES):
        print_line(FIGURES[name]())


if __name__ == "__main__":
    main(sys.argv[1:])
