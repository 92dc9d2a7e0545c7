"""Claims about images in memory: no unit takes more of them along than it asks for, and its answer is the same."""

import pickle

import pytest
import xarray as xr

from purigeom import store, tasks
from purigeom.executors import Processes, in_process
from purigeom.images import InMemory
from purigeom.rechecking import measured_again
from purigeom.sweep import run
from purigeom.tasks import IMAGES_PER_UNIT, plan_units
from tests.toys import ToyImages, toy_tasks

MANY = ToyImages(count=10 * IMAGES_PER_UNIT + 3)


def sent(images: int) -> int:
    """Return the bytes of so many images where they are sent."""
    return len(pickle.dumps(ToyImages(count=images).load()))


def test_a_unit_takes_along_its_own_images_and_those_that_verify_its_purifier(tmp_path):
    units = plan_units(toy_tasks(3, InMemory(MANY.load())), tmp_path, "cpu")
    description = len(pickle.dumps(plan_units(toy_tasks(3, MANY), tmp_path / "described", "cpu")[0]))
    assert len(units) == 3 * 11
    assert max(len(pickle.dumps(unit)) for unit in units) < sent(2 * IMAGES_PER_UNIT) + 2 * description
    first, last = units[0].task.images.load(), units[-1].task.images.load()
    assert first.image_ids == MANY.load().image_ids[:IMAGES_PER_UNIT]
    assert last.image_ids == first.image_ids + MANY.load().image_ids[-3:]


def test_all_units_together_take_their_images_along_once(tmp_path):
    """Of each block the first images go along too, but not once more for every purifier."""
    few, many = (
        len(pickle.dumps(plan_units(toy_tasks(count, InMemory(MANY.load())), tmp_path / f"{count}", "cpu")))
        for count in (1, 9)
    )
    assert many < few + 8 * 11 * 2048


@pytest.mark.parametrize("executor", [in_process, Processes(1)], ids=["here", "elsewhere"])
@pytest.mark.parametrize("size", [100, 150], ids=["smaller", "larger"])
def test_units_of_any_size_answer_as_of_images_that_can_be_loaded(tmp_path, monkeypatch, executor, size):
    """Blocks that begin inside of the first images, and such that reach beyond them, are cut out right."""
    monkeypatch.setattr(tasks, "IMAGES_PER_UNIT", size)
    images = ToyImages(count=320)
    kept = InMemory(images.load())
    held = run(toy_tasks(2, kept), tmp_path / "held", executor, quiet=True)
    loaded = run(toy_tasks(2, images), tmp_path / "loaded", quiet=True)
    xr.testing.assert_equal(store.load(held).load(), store.load(loaded).load())
    known = [kept, *(task.purifier for task in toy_tasks(2)), toy_tasks(1)[0].measurement]
    assert {str(one).partition(": ")[2] for one in measured_again(held, 1, known=known)} == {"the same again"}
