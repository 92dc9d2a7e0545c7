"""Claims about what `purigeom info` says of the rest, and `purigeom measure --dry-run` of everything."""

import re
import threading
import time
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
import torch

from purigeom import forecast, store
from purigeom.catalog import CLASSIFIERS, PURIFIERS
from purigeom.images.files import InMemory
from purigeom.measurements.compression import Compression
from purigeom.measurements.survival import Survival
from purigeom.networks.around import AroundPredictor
from purigeom.networks.diffusion.predictor import NoisePredictor, Prediction
from purigeom.networks.steady import Steady, SteadyClassifier
from purigeom.pace import Pace, lasting, paces, rest
from purigeom.protocols import Batch, Declaration
from purigeom.purifiers.precision import steadied
from purigeom.sweep import Task, run
from purigeom.tasks import IMAGES_PER_UNIT, foreseen, plan_units
from tests.toys import Moved, Scale, ToyImages, toy_tasks

TWO_UNITS = ToyImages(count=IMAGES_PER_UNIT + 2)


@dataclass(frozen=True)
class Slow:
    """Keep images, slowly."""

    seconds: float
    declaration: ClassVar[Declaration] = Declaration("toy")

    def pin(self, noise, image_shape):
        def purify(images):
            time.sleep(self.seconds)
            return images

        return purify


@dataclass(frozen=True)
class Raising:
    """Raise at every image."""

    declaration: ClassVar[Declaration] = Declaration("toy")

    def pin(self, noise, image_shape):
        msg = "no image is good enough"
        raise ArithmeticError(msg)


def seconds_said(line):
    """Return the time that a line tells, in seconds."""
    number, unit = re.search(r"(?:about|more than) ([\d.e+-]+) (s|min|h|days) with one worker", line).groups()
    return float(number) * {"s": 1, "min": 60, "h": 3600, "days": 86400}[unit]


@pytest.fixture
def half(tmp_path):
    """Return a store in which `scale 0` is done, of `scale 1` a unit of two images is missing, `scale 2` wholly."""
    run(toy_tasks(2, TWO_UNITS), tmp_path / "s", quiet=True)
    (seal,) = (tmp_path / "s").glob("*.zarr/made_by/c.1.1")
    seal.unlink()
    plan_units(toy_tasks(3, TWO_UNITS), tmp_path / "s", "cpu")
    return tmp_path / "s"


def test_the_pace_of_a_purifier_is_the_median_of_its_own_units_else_of_all():
    pace = Pace({"one": (1.0, 2.0, 9.0), "other": (5.0,)})
    assert pace.seconds("one", 10) == 20
    assert pace.seconds("stranger", 2) == 7
    assert Pace({}).seconds("one", 10) is None


def test_the_pace_of_a_store_is_what_its_seals_say_by_image(half):
    (pace,) = paces(half).values()
    made = [one["seconds"] for one in store.provenance(half) if one["purifier"] == "scale 0"]
    assert pace.purifiers["scale 0"] == (made[0] / IMAGES_PER_UNIT, made[1] / 2)
    assert paces(half, "cuda") == {}, "another device has another pace"


def test_the_rest_is_told_by_question_and_for_the_store(half):
    question, whole = rest(half)
    assert question.startswith("distances: 3 of 6 units done, the rest takes about ")
    assert whole.startswith(f"{half}: 3 of 6 units done, the rest takes about ")
    pace = paces(half)["distances"]
    wanted = pace.seconds("scale 1", 2) + pace.seconds("scale 2", IMAGES_PER_UNIT + 2)
    assert seconds_said(question) == pytest.approx(wanted, rel=0.06)


def test_a_question_without_a_finished_unit_takes_nobody_knows_how_long(half):
    ask = [Task("scale 0", Scale(0.0), Compression((0.1,)), TWO_UNITS)]
    plan_units(ask, half, "cpu")
    lines = rest(half)
    assert "compression: 0 of 2 units done, how long the rest takes is unknown" in lines
    assert lines[-1].endswith("with one worker and 2 units of which nothing is known")


def test_nothing_is_left_of_a_whole_store(tmp_path):
    run(toy_tasks(2), tmp_path, quiet=True)
    assert rest(tmp_path) == [
        "distances: 2 of 2 units done, nothing is left",
        f"{tmp_path}: 2 of 2 units done, nothing is left",
    ]


def test_a_damaged_seal_is_told_beside_what_is_known(half):
    (seal,) = half.glob("*.zarr/made_by/c.0.0")
    seal.write_bytes(seal.read_bytes()[:-3])
    (line,) = rest(half)
    assert "`purigeom check" in line
    assert "cannot be read" in line


def test_planning_ahead_writes_nothing_and_finds_what_a_run_would(tmp_path):
    units, plans = foreseen(toy_tasks(3, TWO_UNITS), tmp_path / "s", "cpu")
    assert not (tmp_path / "s").exists()
    assert plan_units(toy_tasks(3, TWO_UNITS), tmp_path / "s", "cpu") == units
    assert [progress.plan for progress in store.progress_of(tmp_path / "s")] == plans


def test_a_forecast_counts_the_evaluations_that_a_run_will_need(tmp_path):
    images = InMemory(Batch(torch.rand(3, 1, 8, 8), None, (0, 1, 2)))
    asked = [Task("one-shot", PURIFIERS["digits-one-shot"], Compression((0.1,), probes=2, draws=2), images)]
    said = forecast.told(asked, tmp_path / "s", "cpu")
    # each of 3 images, in each of 2 draws, is purified once as it is and once for each of 2 probes
    assert "compression of one-shot: 1 units of 3 images, about 18 network evaluations, about " in said
    assert "an estimate made from one image of each task, times from that image" in said
    assert said.endswith("Nothing was written.")
    assert not (tmp_path / "s").exists()


@dataclass(frozen=True)
class Still(AroundPredictor):
    """Guess that there is no noise, after a while that does not hang on how many rows there are."""

    network: NoisePredictor

    def module(self, device, dtype):
        return Resting()


class Resting(torch.nn.Module):
    def forward(self, states, time_index):
        time.sleep(WHILE)
        return Prediction(torch.zeros_like(states))


WHILE, ROWS = 0.05, 16


def test_a_forecast_times_as_many_images_as_steady_networks_compute_at_once(tmp_path):
    """Of 64 images with two probes each, 16 rows at a time are 64 * 3 / 16 rests, whatever one image would take."""
    images = InMemory(Batch(torch.rand(64, 1, 8, 8), None, tuple(range(64))))
    plain = PURIFIERS["digits-one-shot"]
    purifier = replace(plain, network=Steady(Still(plain.network), ROWS))
    asked = [Task("one-shot", purifier, Compression((0.1,), probes=2), images)]
    said = forecast.told(asked, tmp_path / "s", "cpu")
    assert 64 * 3 / ROWS * WHILE * 0.9 < seconds_said(said) < 64 / 2 * WHILE
    assert "1 units of 64 images, about 192 network evaluations, about " in said
    assert (
        f"made from up to {ROWS} images of each task, as many as its networks compute at once, times from those" in said
    )
    assert "Evaluations do not count the rows that only fill a network's fixed number up." in said
    ends = forecast.told([replace(asked[0], images=InMemory(images.batch[:3]))], tmp_path / "s", "cpu")
    assert "about 9 network evaluations" in ends, "three images are all that there are"


def test_rows_at_once_are_those_of_any_network_inside():
    plain = PURIFIERS["digits-one-shot"]
    assert forecast.rows_at_once(plain, Compression((0.1,))) == 1
    assert forecast.rows_at_once(steadied(plain, 7), Compression((0.1,))) == 7
    survival = Survival(SteadyClassifier(CLASSIFIERS["digits"], 9), (0.1,))
    assert forecast.rows_at_once(steadied(plain, 7), survival) == 9


def test_a_forecast_of_time_is_that_of_the_store_where_it_has_one(half):
    before = {path: path.stat().st_mtime_ns for path in half.rglob("*")}
    said = forecast.told([*toy_tasks(3, TWO_UNITS)], half, "cpu").splitlines()
    group, whole, grounds, _ = said
    assert group.startswith(f"distances of scale: 3 units of {IMAGES_PER_UNIT + 4} images, about 0 network evaluations")
    assert whole.partition(": ")[2] == group.partition(": ")[2]
    assert grounds.endswith("times from the rate of the store.")
    assert seconds_said(group) == pytest.approx(seconds_said(rest(half)[0]), rel=0.01)
    assert before == {path: path.stat().st_mtime_ns for path in half.rglob("*")}


def test_the_bytes_that_are_foretold_are_those_of_the_answers(tmp_path):
    said = forecast.told(toy_tasks(2), tmp_path, "cpu")
    run(toy_tasks(2), tmp_path, quiet=True)
    assert f"about {store.load(tmp_path)['l2_distance'].nbytes} B of answers" in said.splitlines()[1]


def test_an_image_that_takes_too_long_is_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(forecast, "ONE_SECONDS", 0.2)
    started = time.perf_counter()
    said = forecast.told([Task("slow", Slow(20.0), Moved(), ToyImages())], tmp_path, "cpu")
    assert time.perf_counter() - started < 10, "twenty seconds were asked for"
    assert "network evaluations not estimated, time not estimated, size not estimated (no image was measured" in said


def test_where_all_the_time_is_spent_the_other_tasks_are_not_begun(tmp_path, monkeypatch):
    monkeypatch.setattr(forecast, "ALL_SECONDS", 0.0)
    assert "not estimated" in forecast.told(toy_tasks(1), tmp_path, "cpu").splitlines()[0]


def test_outside_the_main_thread_nothing_is_estimated(tmp_path):
    said = []
    thread = threading.Thread(target=lambda: said.append(forecast.told(toy_tasks(1), tmp_path, "cpu")))
    thread.start()
    thread.join()
    assert "network evaluations not estimated" in said[0]


def test_what_cannot_be_measured_is_named_before_it_is_run(tmp_path):
    asked = [Task("raises", Raising(), Moved(), ToyImages()), *toy_tasks(1)]
    lines = forecast.told(asked, tmp_path, "cpu").splitlines()
    assert "(ArithmeticError: no image is good enough)" in lines[0]
    assert "more than 0 network evaluations" in lines[2]


def test_nothing_is_foretold_where_all_is_answered(tmp_path):
    run(toy_tasks(2), tmp_path, quiet=True)
    assert forecast.told(toy_tasks(2), tmp_path, "cpu") == f"{tmp_path} has all the answers: nothing is to be measured."


def test_settings_of_one_purifier_share_a_line(tmp_path):
    assert (
        len([line for line in forecast.told(toy_tasks(3), tmp_path, "cpu").splitlines() if " of scale: " in line]) == 1
    )


def test_times_are_told_in_the_largest_unit_that_fits():
    assert [lasting(seconds) for seconds in (0, 59, 60, 7200, 86400 * 3)] == [
        "0 s",
        "59 s",
        "1.0 min",
        "2.0 h",
        "3.0 days",
    ]
