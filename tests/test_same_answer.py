"""The claim that units, parts, memory and other images change no number: with a fixed number of rows bit for bit.

Without it, numbers agree to `TOLERANCE`, and every verdict under attack is the same here; elsewhere one may turn, where
the sign of a gradient hangs on a rounding.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
import xarray as xr
from typer.testing import CliRunner

from benchmarks.figure import print_line
from benchmarks.steady import steady_cost
from purigeom import store
from purigeom.__main__ import application
from purigeom.attacks.pgd import PGD
from purigeom.catalog import CLASSIFIERS, DIGITS_UNET
from purigeom.defence.target import Target
from purigeom.images import Digits
from purigeom.measurements.compression import Compression
from purigeom.measurements.distances import Distances
from purigeom.measurements.leading_spectrum import LeadingSpectrum
from purigeom.measurements.margins import Margins
from purigeom.measurements.survival import Survival
from purigeom.networks.steady import SteadyClassifier
from purigeom.protocols import Classifier, Measurement
from purigeom.purifiers.diffusion.ddpm import DDPM
from purigeom.purifiers.precision import steadied
from purigeom.sweep import Task, run
from tests.figures import check_line

ROWS, COUNT = 8, 40
PURIFIER = DDPM(DIGITS_UNET, depth=60, steps=2)
NAMES = ("compression", "distances", "margins", "survival")
TOLERANCE = 2e-6
"""Of a stored number, relative to the largest of its kind."""
DIFFERENCES, OF_DIFFERENCES = 3e-5, ("margin_bend", "margin_acceleration")
"""The same where numbers of nearly the same size were taken from each other."""
RESIDUALS = ("leading_error", "root_mean_square_error", "participation_error", "share_error")
"""Bounds of a numerical error, no facts about a purifier: without the option none of their digits is promised."""


def questions(classifier: Classifier) -> dict[str, Measurement]:
    return {
        "compression": Compression((0.1,), probes=4),
        "distances": Distances(),
        "margins": Margins(classifier, (0.1,), pairs=3),
        "survival": Survival(classifier, (0.1,), PGD(steps=3), judgements=2),
        "leading-spectrum": LeadingSpectrum(),
    }


def study(steady: bool, names: Sequence[str], count: int) -> list[Task]:
    classifier = CLASSIFIERS["digits"]
    purifier = steadied(PURIFIER, ROWS) if steady else PURIFIER
    asked = questions(SteadyClassifier(classifier, ROWS) if steady else classifier)
    return [Task("ddpm", purifier, asked[name], Digits()[:count]) for name in names]


Change = Callable[[pytest.MonkeyPatch], object]


def units_of(images: int) -> Change:
    return lambda patched: patched.setattr("purigeom.tasks.IMAGES_PER_UNIT", images)


def less_memory(patched: pytest.MonkeyPatch) -> None:
    patched.setattr("purigeom.geometry.memory.CPU_BUDGET", 2**23)
    patched.setattr("purigeom.measurements.points.ON_CPU", 2**9)
    *others, _ = Target.__init__.__defaults__
    patched.setattr(Target.__init__, "__defaults__", (*others, 2**9))


def too_little_memory(patched: pytest.MonkeyPatch) -> None:
    """Let networks run out of memory at more than ten images, so that parts are halved; the contract asks for fewer."""
    for network in (PURIFIER.network, steadied(PURIFIER, ROWS).network):
        module = network.module(torch.device("cpu"), torch.float32)
        patched.setattr(module, "forward", limited(module.forward))


def limited(forward: Callable[..., object]) -> Callable[..., object]:
    def within_memory(state: torch.Tensor, *time: object) -> object:
        if len(state) > 10:
            msg = "ten images fill it"
            raise torch.OutOfMemoryError(msg)
        return forward(state, *time)

    return within_memory


CHANGES: dict[str, Change] = {
    "units of 32": units_of(32),
    "units of 7": units_of(7),
    "less memory": less_memory,
    "too little memory": too_little_memory,
}


@pytest.fixture(scope="module")
def answered(tmp_path_factory) -> Callable[..., xr.Dataset]:
    """Return what a study answers in one unit and with memory enough, or after a change; each is made once."""
    known: dict[tuple[object, ...], xr.Dataset] = {}

    def answer(steady: bool, change: str = "", names: Sequence[str] = NAMES, count: int = COUNT):
        with pytest.MonkeyPatch.context() as patched:
            units_of(128)(patched)
            CHANGES.get(change, units_of(128))(patched)
            root = run(study(steady, names, count), tmp_path_factory.mktemp("store") / "store", quiet=True)
        return store.load(root).load()

    def once(*asked: object) -> xr.Dataset:
        if asked not in known:
            known[asked] = answer(*asked)
        return known[asked]

    return once


SHARES = [(NAMES, COUNT), (("leading-spectrum",), 12)]
QUICK = "units of 7"
"""The change that spectra are asked about in the usual run: many products take long with little memory."""
CASES = [
    pytest.param(change, names, count, marks=() if names == NAMES or change == QUICK else pytest.mark.slow)
    for change in CHANGES
    for names, count in SHARES
]
ALONE = "margins"
"""Its points travel with all images of a unit, however little memory there is: a unit that is too large must fail."""


def named(change: str, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in names if change != "too little memory" or name != ALONE)


@pytest.mark.parametrize(("change", "names", "count"), CASES)
def test_with_a_fixed_number_of_rows_every_number_is_the_same_bit_for_bit(answered, change, names, count) -> None:
    changed, usual = answered(True, change, named(change, names), count), answered(True, "", names, count)
    assert named(change, names) != names or set(changed) == set(usual)
    for variable in changed:
        xr.testing.assert_identical(changed[variable], usual[variable])


@pytest.mark.parametrize(("change", "names", "count"), CASES)
def test_without_it_numbers_agree_within_the_stated_tolerance(answered, change, names, count) -> None:
    changed, usual = answered(False, change, named(change, names), count), answered(False, "", names, count)
    check_near(changed, usual)


def test_without_it_numbers_are_not_the_same(answered) -> None:
    names, count = SHARES[0]
    changed, usual = (answered(False, which, names, count) for which in ("units of 7", ""))
    assert not changed.equals(usual)


@pytest.mark.parametrize(("names", "count"), SHARES)
def test_with_it_numbers_are_those_without_it_within_the_same_tolerance(answered, names, count) -> None:
    check_near(answered(True, "", names, count), answered(False, "", names, count))


def check_near(found: xr.Dataset, expected: xr.Dataset) -> None:
    """Raise where a fact is off by more than is promised of it; counts and verdicts are promised to be equal."""
    for variable in sorted(set(found) - set(RESIDUALS)):
        share = DIFFERENCES if variable in OF_DIFFERENCES else TOLERANCE
        allowed = share * float(np.abs(expected[variable]).max()) if expected[variable].dtype.kind == "f" else 0
        np.testing.assert_allclose(found[variable], expected[variable], rtol=0, atol=allowed, err_msg=variable)


def test_the_command_line_takes_it_for_purifier_and_classifier_and_refuses_what_has_no_network(tmp_path) -> None:
    asked = ["measure", "--images", "digits:2", "--measurement", "margins", "--out", str(tmp_path / "store"), "--quiet"]
    rows = ["--rows-at-once", "4"]
    told = CliRunner().invoke(application, [*asked, "digits-autoencoder", *rows], catch_exceptions=False)
    assert told.exit_code == 0
    (segment,) = store.progress_of(tmp_path / "store")
    for recipe in (segment.plan.rows[0].recipe, segment.plan.question.measurement):
        assert "rows=4" in recipe["description"]
    with pytest.raises(ValueError, match=r"4 rows needs a purifier with a network .*; got JPEG\("):
        CliRunner().invoke(application, [*asked, "jpeg", *rows], catch_exceptions=False)


def test_what_it_costs_prints_a_valid_line(capsys) -> None:
    print_line(steady_cost(rows=(2,), images=3, repeats=1))
    check_line(capsys.readouterr().out, "steady_cost")
