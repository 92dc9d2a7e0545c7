"""Claims about where units are answered: everywhere alike, and without loss where a worker dies."""

from dataclasses import replace

import pytest
import torch
import xarray as xr

from purigeom import store, tasks
from purigeom.executors import Processes, _places, _settle, in_process
from purigeom.measurements.compression import Compression
from purigeom.purifiers.wrapped import wrap
from purigeom.sweep import Task, run
from tests.toys import Mortal, Moved, Scale, ToyImages, toy_tasks


@pytest.fixture(autouse=True)
def small_units(monkeypatch):
    monkeypatch.setattr(tasks, "IMAGES_PER_UNIT", 2)


def test_this_process_answers_in_order_and_only_when_asked():
    asked = []
    answers = in_process(lambda unit: asked.append(unit) or -unit, [3, 1, 2])
    assert asked == []
    assert next(answers) == -3
    assert asked == [3]
    assert list(answers) == [-1, -2]


def test_worker_processes_store_what_this_process_stores(tmp_path):
    asked = [*toy_tasks(3), *(replace(task, measurement=Compression((0.1,))) for task in toy_tasks(3))]
    alone = store.load(run(asked, tmp_path / "alone", in_process, quiet=True)).load()
    together = store.load(run(asked, tmp_path / "together", Processes(2), quiet=True)).load()
    xr.testing.assert_identical(together, alone)
    assert {unit["threads"] for unit in store.provenance(tmp_path / "together")} == {1}
    assert store.verify(tmp_path / "together") == []


def test_a_killed_worker_is_named_and_what_was_answered_stays(tmp_path):
    task = Task("half", Scale(0.5), Mortal(tmp_path / "grave", image=104), ToyImages(count=8))
    with pytest.raises(RuntimeError, match=r"A worker process was killed.*stored; run again"):
        run([task], tmp_path / "store", Processes(1), quiet=True)
    (progress,) = store.progress_of(tmp_path / "store")
    assert progress.done == {(0, 0), (0, 1)}
    assert store.verify(tmp_path / "store") == []
    found = store.load(run([task], tmp_path / "store", quiet=True)).load()
    undisturbed = store.load(run([task], tmp_path / "undisturbed", quiet=True)).load()
    xr.testing.assert_identical(found, undisturbed)


def fail(unit: int) -> int:
    if unit == 1:
        msg = f"unit {unit} is bad"
        raise ValueError(msg)
    return unit


def test_an_error_in_a_worker_is_raised_here():
    answers = Processes(1)(fail, range(3))
    assert next(answers) == 0
    with pytest.raises(ValueError, match="unit 1 is bad"):
        list(answers)


def test_what_cannot_be_sent_to_a_worker_is_said_before_one_starts(tmp_path):
    nameless = wrap(lambda images: images / 2, name="half")
    with pytest.raises(TypeError, match=r"these cannot be sent: .*lambda.* at the top of a file"):
        run([Task("half", nameless, Moved(), ToyImages())], tmp_path / "store", Processes(1), quiet=True)
    found = store.load(run([Task("half", nameless, Moved(), ToyImages())], tmp_path / "store", quiet=True))
    assert found.purifier.values.tolist() == ["half"]


@pytest.fixture
def threads():
    """Leave this process as many threads as it has."""
    return torch.get_num_threads()


def test_every_worker_has_a_place_of_its_own(monkeypatch, threads):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    places = _places(3)
    assert [_settle(threads, places) for _ in range(3)] == [0, 1, 2]
    assert places.empty()


def test_workers_take_the_cuda_devices_in_turn(monkeypatch, threads):
    taken = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", taken.append)
    places = _places(5)
    assert [_settle(threads, places) for _ in range(5)] == [0, 1, 2, 3, 4]
    assert taken == [0, 1, 0, 1, 0]


def test_a_machine_without_cuda_is_asked_for_no_device(monkeypatch, threads):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "set_device", lambda place: pytest.fail(f"device {place} was asked for"))
    assert _settle(threads, _places(1)) == 0
