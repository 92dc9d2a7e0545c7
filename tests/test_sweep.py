"""Claims about running tasks: only what is missing, nothing overwritten, nothing that cannot be told apart."""

import hashlib
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

import pytest
import torch
import xarray as xr

from purigeom import answering, measure, store, tasks
from purigeom.executors import Lost
from purigeom.images import Digits, InMemory
from purigeom.measurements.compression import Compression
from purigeom.measurements.distances import Distances
from purigeom.noise import Noise
from purigeom.purifiers.wrapped import wrap
from purigeom.sweep import Task, UnansweredError, run
from purigeom.unanswered import SHOWN
from tests.processes import IMAGES_PER_UNIT
from tests.toys import Coupled, Moved, Opaque, Scale, ToyImages, toy_tasks


@pytest.fixture(autouse=True)
def small_units(monkeypatch):
    monkeypatch.setattr(tasks, "IMAGES_PER_UNIT", IMAGES_PER_UNIT)


@pytest.fixture(autouse=True)
def new_process(monkeypatch):
    """Let each test meet purifiers as a new process does."""
    monkeypatch.setattr(answering, "_FOUND", {})


@pytest.fixture
def diary(tmp_path):
    """Return a folder that holds a file for every time a measurement was asked."""
    (tmp_path / "diary").mkdir()
    return tmp_path / "diary"


def files(folder):
    """Return the digest of every file of a folder, and its folders."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        for path in folder.rglob("*")
    }


def test_only_what_is_missing_is_measured(tmp_path, diary):
    root = tmp_path / "store"
    asked = toy_tasks(2, measurement=Moved(diary=diary))
    run(asked, root, quiet=True)
    assert len(list(diary.iterdir())) == 2 * 3
    run(asked, root, quiet=True)
    assert len(list(diary.iterdir())) == 2 * 3
    run(toy_tasks(3, measurement=Moved(diary=diary)), root, quiet=True)
    assert len(list(diary.iterdir())) == 3 * 3
    (seal,) = root.glob("*.zarr/made_by/c.1.2")
    seal.unlink()
    run(toy_tasks(3, measurement=Moved(diary=diary)), root, quiet=True)
    again = [path.read_text() for path in diary.iterdir()]
    assert len(again) == 3 * 3 + 1
    assert sorted(again).count("Scale(factor=0.1) 104") == 2


def test_a_task_given_twice_is_measured_once(tmp_path, diary):
    run(2 * toy_tasks(1, measurement=Moved(diary=diary)), tmp_path / "store", quiet=True)
    assert len(list(diary.iterdir())) == 3


def test_a_resumed_answer_equals_one_made_at_once(tmp_path):
    at_once = store.load(run(toy_tasks(), tmp_path / "at once", quiet=True)).load()
    for count in (1, 3):
        run(toy_tasks(count), tmp_path / "resumed", quiet=True)
    xr.testing.assert_identical(store.load(tmp_path / "resumed").load(), at_once)


def test_a_stored_answer_equals_the_one_in_memory(tmp_path):
    (task,) = toy_tasks(1)
    stored = store.load(run([task], tmp_path, quiet=True)).load()
    in_memory = measure(task.purifier, task.images, (task.measurement,))
    assert (stored.l2_distance.isel(purifier=0).values == in_memory.l2_distance.values).all()
    other = measure(task.purifier, task.images, (task.measurement,), seed=1)
    assert (other.l2_distance.values != in_memory.l2_distance.values).all()


OTHERS = {
    "measurement field": {"measurement": Moved(draws=2)},
    "images": {"images": ToyImages(seed=5)},
    "image ids": {"images": ToyImages(first=0)},
    "fewer images": {"images": ToyImages(count=4)},
    "seed": {"seed": 1},
    "dtype": {"dtype": "float64"},
    "purifier field": {"purifier": Scale(0.77)},
    "purifier class": {"purifier": Coupled()},
}


@pytest.mark.parametrize("change", OTHERS.values(), ids=OTHERS)
def test_a_store_made_by_another_recipe_is_refused_and_left_untouched(tmp_path, change):
    run(toy_tasks(2), tmp_path, quiet=True)
    before = files(tmp_path)
    asked = [replace(toy_tasks(1)[0], **change)]
    with pytest.raises(ValueError, match="will not be overwritten"):
        run(asked, tmp_path, quiet=True)
    assert files(tmp_path) == before


def test_a_refused_list_of_tasks_leaves_nothing_of_its_welcome_ones(tmp_path):
    """The first task could be answered, the second could not: nothing is written at all."""
    run(toy_tasks(2), tmp_path, quiet=True)
    before = files(tmp_path)
    welcome = Task("new", Scale(0.3), Compression((0.1,)), ToyImages())
    unwelcome = Task("new", Scale(0.3), Moved(), ToyImages(), seed=4)
    with pytest.raises(ValueError, match="will not be overwritten: seed 0 against 4"):
        run([welcome, unwelcome], tmp_path, quiet=True)
    assert files(tmp_path) == before


def test_a_name_means_one_purifier_for_all_questions_of_a_store(tmp_path):
    run(toy_tasks(1), tmp_path, quiet=True)
    before = files(tmp_path)
    with pytest.raises(ValueError, match="holds another purifier named 'scale 0'"):
        run([Task("scale 0", Scale(0.9), Compression((0.1,)), ToyImages())], tmp_path, quiet=True)
    assert files(tmp_path) == before


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"purifier": Scale(0.9)}, "Two purifiers of these tasks are named 'scale 0'"),
        ({"purifier": Scale(0.9), "measurement": Distances()}, "Two purifiers of these tasks are named 'scale 0'"),
        ({"seed": 3}, "these tasks ask two: seed 0 against 3"),
        ({"measurement": Moved(draws=3), "purifier_name": "other"}, "these tasks ask two: measurement"),
    ],
)
def test_tasks_that_contradict_each_other_are_refused(tmp_path, change, match):
    (task,) = toy_tasks(1)
    with pytest.raises(ValueError, match=match):
        run([task, replace(task, **change)], tmp_path / "store", quiet=True)
    assert not (tmp_path / "store").exists()


class Scribble:
    """Purify like a stranger who has not read the documentation."""

    def pin(self, noise, image_shape):
        return lambda images: 0.5 * images


UNKEYABLE = {
    "address": Scribble(),
    "tensor": Opaque(torch.ones(3)),
    "partial": wrap(torch.sigmoid, name="sigmoid"),
}


@pytest.mark.parametrize("purifier", UNKEYABLE.values(), ids=UNKEYABLE)
def test_what_cannot_be_told_apart_is_measured_but_not_stored(tmp_path, purifier):
    facts = measure(purifier, ToyImages(), (Distances(),))
    assert facts.l2_distance.notnull().all()
    with pytest.raises(TypeError, match="cannot be stored"):
        run([Task("mine", purifier, Distances(), ToyImages())], tmp_path / "store", quiet=True)
    assert not (tmp_path / "store").exists()


def test_a_purifier_that_breaks_its_contract_is_not_stored(tmp_path):
    with pytest.raises(ValueError, match="couples images of a batch"):
        run([Task("coupled", Coupled(), Moved(), ToyImages())], tmp_path, quiet=True)
    assert store.load(tmp_path).sizes["purifier"] == 0


@dataclass(frozen=True)
class Sloped(Moved):
    """Ask as `Moved` does, and say that derivatives are used."""

    differentiates: ClassVar[bool] = True


@dataclass(frozen=True)
class Detached(Scale):
    def pin(self, noise, image_shape):
        return lambda images: self.factor * images.detach() + images


def test_derivatives_are_checked_once_per_purifier_where_a_measurement_says_it_uses_them(tmp_path, monkeypatch):
    asked = []
    told = answering.derivatives_told
    monkeypatch.setattr(answering, "derivatives_told", lambda *given: asked.append(repr(given[0])) or told(*given))
    asked_for = [replace(task, measurement=Sloped()) for task in toy_tasks(2)]
    distances = [replace(task, measurement=Distances()) for task in toy_tasks(3)]
    with pytest.raises(ValueError, match="these tasks ask two"):  # both are stored under one name
        run([*asked_for, *distances], tmp_path, quiet=True)
    ratios = [replace(task, measurement=Compression((0.1,))) for task in toy_tasks(3)]
    run([*ratios, *asked_for], tmp_path, quiet=True)
    assert asked == ["Scale(factor=0.0)", "Scale(factor=0.1)"]
    said = [made.get("derivatives") for made in store.provenance(tmp_path) if made["question"] == "distances"]
    assert [bool(one) for one in said] == 2 * [True, False, False]
    assert "Tangents pass 1 step" in said[0]


def test_a_purifier_whose_derivatives_are_not_its_own_is_not_stored(tmp_path):
    (task,) = toy_tasks(1)
    task = replace(task, purifier=Detached(0.5), measurement=Sloped())
    with pytest.raises(ValueError, match="but derivatives differ from finite differences"):
        run([task], tmp_path, quiet=True)
    assert store.load(tmp_path).sizes["purifier"] == 0
    assert measure(task.purifier, task.images, (Moved(),)).l2_distance.notnull().all()
    with pytest.raises(ValueError, match="but derivatives differ from finite differences"):
        measure(task.purifier, task.images, (Moved(), task.measurement))


def looked_at(monkeypatch):
    """Return the list of the purifiers whose contract is verified from now on."""
    asked = []
    verify = answering.verify
    monkeypatch.setattr(answering, "verify", lambda *given: asked.append(repr(given[0])) or verify(*given))
    return asked


@dataclass(frozen=True)
class CoupledAtFirst:
    """Break a law where the first image is among the images, and keep it elsewhere."""

    def pin(self, noise, image_shape):
        return lambda images: images - images.mean() * (100 in noise.image_ids)


@pytest.mark.parametrize("purifier", [Coupled(), CoupledAtFirst()])
def test_nothing_of_a_purifier_that_breaks_its_contract_is_stored_whatever_is_asked_of_which_images(
    tmp_path, monkeypatch, purifier
):
    """A worker that begins with the last block finds what one that begins with the first does."""

    def backwards(function, units):
        return map(function, reversed(units))

    asked = looked_at(monkeypatch)
    questions = [Task("mine", purifier, question, ToyImages()) for question in (Moved(), Compression((0.1,)))]
    with pytest.raises(UnansweredError, match="couples images of a batch") as raised:
        run(questions, tmp_path, backwards, quiet=True)
    assert len(raised.value.lost) == 2 * 3
    assert {progress.done for progress in store.progress_of(tmp_path)} == {frozenset()}
    assert asked == [repr(purifier)], "and it was looked at once"


def test_a_process_verifies_a_purifier_once_whatever_is_asked_of_it(tmp_path, monkeypatch):
    asked = looked_at(monkeypatch)
    questions = (Moved(), Compression((0.1,)))
    run([replace(task, measurement=question) for question in questions for task in toy_tasks(2)], tmp_path, quiet=True)
    assert asked == ["Scale(factor=0.0)", "Scale(factor=0.1)"]
    run([replace(toy_tasks(1)[0], seed=1)], tmp_path / "other", quiet=True)
    assert asked[2:] == ["Scale(factor=0.0)"], "other noise might show what the first did not"


@dataclass(frozen=True)
class Moody(Moved):
    """Raise an error for the images from `image` on, while there is no file that forbids it."""

    image: int = 0
    calm: Path | None = field(default=None, repr=False)

    def __call__(self, purifier, batch, noise):
        if batch.image_ids[0] >= self.image and not self.calm.exists():
            msg = f"images from\n{batch.image_ids[0]} on\nare too much"
            raise ArithmeticError(msg)
        return super().__call__(purifier, batch, noise)


def test_a_summary_tells_whose_units_failed_why_and_by_what_recipe(tmp_path):
    asked = [*toy_tasks(2), Task("coupled", Coupled(), Moved(), ToyImages())]
    with pytest.raises(UnansweredError) as raised:
        run(asked, tmp_path, quiet=True)
    first, second, third = str(raised.value).splitlines()
    assert first.startswith(f"3 of 9 units have no answer. Everything else is stored in {tmp_path};")
    assert second.startswith("  coupled, distances, blocks 0, 1, 2: ValueError: Coupled() couples images of a batch")
    assert third == "    Coupled()"
    assert store.load(tmp_path).purifier.values.tolist() == ["scale 0", "scale 1"]


def test_a_unit_that_raises_costs_no_other_its_answer_and_is_asked_for_again(tmp_path, diary):
    asked = toy_tasks(2, measurement=Moody(image=102, calm=tmp_path / "calm", diary=diary))
    with pytest.raises(
        UnansweredError, match="scale 1, distances, block 2: ArithmeticError: images from 104 on"
    ) as one:
        run(asked, tmp_path / "store", quiet=True)
    assert "4 of 6 units" in str(one.value)
    assert [progress.done for progress in store.progress_of(tmp_path / "store")] == [{(0, 0), (1, 0)}]
    (tmp_path / "calm").touch()
    found = store.load(run(asked, tmp_path / "store", quiet=True)).load()
    assert len(list(diary.iterdir())) == 2 * 3
    xr.testing.assert_identical(found, store.load(run(asked, tmp_path / "undisturbed", quiet=True)).load())


def test_a_summary_of_many_failures_tells_the_first_and_counts_the_others(tmp_path):
    asked = toy_tasks(8, measurement=Moody(calm=tmp_path / "calm"))
    with pytest.raises(UnansweredError, match="24 of 24 units") as raised:
        run(asked, tmp_path / "store", quiet=True)
    assert len(raised.value.lost) == 24
    lines = str(raised.value).splitlines()
    assert (len(lines), lines[-1]) == (1 + 2 * SHOWN + 1, f"  ... and {24 - SHOWN} more")


def test_what_a_killed_worker_had_stored_is_not_called_lost(tmp_path):
    """The executor saw its worker die after the answer was written, and before it could say so."""

    def pessimistic(function, units):
        return (Lost(unit, "its worker died") for unit in units if function(unit) is None)

    found = store.load(run(toy_tasks(2), tmp_path, pessimistic, quiet=True))
    assert found.purifier.values.tolist() == ["scale 0", "scale 1"]


def test_an_interruption_goes_through(tmp_path):
    @dataclass(frozen=True)
    class Interrupted(Moved):
        def __call__(self, purifier, batch, noise):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(toy_tasks(1, measurement=Interrupted()), tmp_path, quiet=True)


def test_a_relative_path_is_found_by_workers_elsewhere(tmp_path, monkeypatch):
    """They may work in another folder; whoever asked gets back the path they gave."""

    def elsewhere(function, units):
        (tmp_path / "elsewhere").mkdir()
        os.chdir(tmp_path / "elsewhere")
        return map(function, units)

    monkeypatch.chdir(tmp_path)
    assert run(toy_tasks(1), "store", elsewhere, quiet=True) == Path("store")
    assert store.load(tmp_path / "store").sizes["purifier"] == 1


def test_images_out_of_range_are_refused_before_anything_is_written(tmp_path):
    batch = replace(ToyImages().load(), images=ToyImages().load().images * 255)
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\]; image 100"):
        run([Task("half", Scale(0.5), Moved(), InMemory(batch))], tmp_path / "store", quiet=True)
    assert not (tmp_path / "store").exists()


def test_no_images_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"nothing to measure: Digits\(.*\) holds no image"):
        run(toy_tasks(1, Digits()[:0]), tmp_path / "store", quiet=True)
    assert not (tmp_path / "store").exists()


def test_answers_are_measured_in_the_task_s_type(tmp_path):
    (task,) = toy_tasks(1)
    found = store.load(run([replace(task, dtype="float64")], tmp_path, quiet=True))
    assert found.l2_distance.dtype == "float64"


def test_a_stored_answer_uses_global_image_ids(tmp_path):
    """The noise of an image is that of its id: the second half alone answers as it does in the whole."""
    whole = store.load(run(toy_tasks(1), tmp_path / "whole", quiet=True)).load()
    images = ToyImages()
    second = InMemory(images.load()[3:6])
    half = store.load(run(toy_tasks(1, second), tmp_path / "half", quiet=True)).load()
    assert half.image.values.tolist() == [103, 104, 105]
    assert (half.l2_distance == whole.l2_distance.sel(image=half.image)).all()
    shifted = Noise(0, (0, 1, 2)).normal_like(torch.zeros(3, 1, 2, 2))
    assert not torch.equal(shifted, Noise(0, (103, 104, 105)).normal_like(torch.zeros(3, 1, 2, 2)))


def test_a_path_may_be_a_string(tmp_path):
    root = run(toy_tasks(1), str(tmp_path / "store"), quiet=True)
    xr.testing.assert_identical(store.load(str(root)).load(), store.load(root).load())
    assert store.verify(str(root)) == []
    assert len(store.provenance(str(root))) == 3


def test_a_unit_that_another_driver_answers_meanwhile_is_not_measured_again(tmp_path, diary):
    """A second driver, started by mistake, plans what the first has not answered yet and comes after it."""
    planned = tasks.plan_units(toy_tasks(1, measurement=Moved(diary=diary)), tmp_path / "store", "cpu")
    run(toy_tasks(1, measurement=Moved(diary=diary)), tmp_path / "store", quiet=True)
    asked = len(list(diary.iterdir()))
    assert [answering.answer(unit) for unit in planned] == [0.0] * len(planned)
    assert len(list(diary.iterdir())) == asked == len(planned)
