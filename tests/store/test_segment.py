"""Claims about writing: whole or absent, many writers at once, and disks that refuse."""

import errno
import itertools
import math
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
import zarr

from purigeom import store
from purigeom.store.arrays import check_ownership
from purigeom.store.plan import Plan, folder_name, to_json
from purigeom.store.segment import create, write
from purigeom.sweep import run
from purigeom.tasks import plan_units
from tests.processes import CONTEXT, answer_all, drive, finished, started
from tests.toys import ToyImages, toy_tasks


@dataclass(frozen=True)
class Noted:
    """Do nothing, and have a number."""

    note: float

    def pin(self, noise, image_shape):
        return lambda images: images


def assert_whole(root, expected):
    """See that every row which the store shows is all there, and right; return how many there are."""
    problems = [finding for finding in store.verify(root) if not finding.harmless] if any(root.glob("*.zarr")) else []
    assert not problems
    if not any(root.glob("*.zarr")):
        return 0
    found = store.load(root).load()
    if found.sizes["purifier"]:
        xr.testing.assert_identical(found, expected.sel(purifier=found.purifier))
    return found.sizes["purifier"]


def test_a_coordinate_appears_with_its_values_or_not_at_all(tmp_path, monkeypatch):
    """A kill between an array's header and its values must not leave an array of zeros."""
    tasks = toy_tasks(1, measurement=None)
    (unit, *_) = plan_units(tasks, tmp_path, "cpu")
    answer = xr.Dataset(
        {"l2_distance": (("draw", "image"), np.ones((2, 2), np.float32))},
        coords={"draw": [5, 7], "image": [100, 101]},
    )

    class Killed(BaseException):
        pass

    def killed(*_):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(zarr.Array, "__setitem__", killed)
        with pytest.raises(Killed):
            write(unit.segment, 0, 0, answer, {})
    assert not (unit.segment / "draw").exists()
    for block in range(3):
        ids = [100 + 2 * block, 101 + 2 * block]
        write(unit.segment, 0, block, answer.assign_coords(image=ids), {})
    assert store.load(tmp_path).draw.values.tolist() == [5, 7]


def test_writers_of_one_segment_lose_nothing(tmp_path):
    """Four processes at a time, each with every fourth unit, begin with the same new arrays."""
    tasks = toy_tasks(4, ToyImages(count=16))
    expected = store.load(run(tasks, tmp_path / "alone", quiet=True)).load()
    for attempt in range(2):
        root = tmp_path / f"together {attempt}"
        units = plan_units(tasks, root, "cpu")
        go, ready = CONTEXT.Event(), [CONTEXT.Event() for _ in range(4)]
        writers = [started(answer_all, units[place::4], ready[place], go) for place in range(4)]
        assert all(event.wait(60) for event in ready)
        go.set()
        assert finished(writers) == [0, 0, 0, 0]
        xr.testing.assert_identical(store.load(root).load(), expected)
        assert store.verify(root) == []


@pytest.mark.parametrize("second", [[0, 1, 2, 3], [0, 3, 4, 5]], ids=["the same tasks", "some of the same tasks"])
def test_two_drivers_of_one_store_lose_nothing(tmp_path, second):
    everything = toy_tasks(6, ToyImages(count=8))
    expected = store.load(run(everything, tmp_path / "alone", quiet=True)).load()
    for attempt in range(2):
        root = tmp_path / f"together {attempt}"
        go, ready = CONTEXT.Event(), [CONTEXT.Event() for _ in range(2)]
        drivers = [
            started(drive, [everything[place] for place in places], root, event, go)
            for places, event in zip(([0, 1, 2, 3], second), ready, strict=True)
        ]
        assert all(event.wait(60) for event in ready)
        go.set()
        assert finished(drivers) == [0, 0]
        found = store.load(root).load()
        assert set(found.purifier.values) == {f"scale {place}" for place in {0, 1, 2, 3, *second}}
        xr.testing.assert_identical(found, expected.sel(purifier=found.purifier))
        assert store.verify(root) == []


@pytest.mark.parametrize("shards", [None, (1, 4)])
def test_a_region_that_shares_a_chunk_or_shard_is_refused(tmp_path, shards):
    array = zarr.create_array(tmp_path / "array", shape=(3, 10), chunks=(1, 2), shards=shards, dtype="f4")
    owned = 4 if shards else 2
    check_ownership(array, (slice(0, 1), slice(0, owned)))
    check_ownership(array, (slice(2, 3), slice(2 * owned, 10)))
    for start, stop in ((1, owned), (0, owned - 1), (0, owned + 1), (1, 10)):
        with pytest.raises(ValueError, match="must own whole chunks"):
            check_ownership(array, (slice(0, 1), slice(start, stop)))


def test_a_region_inside_a_shard_is_refused_though_it_covers_chunks(tmp_path):
    array = zarr.create_array(tmp_path / "array", shape=(1, 8), chunks=(1, 2), shards=(1, 4), dtype="f4")
    with pytest.raises(ValueError, match="must own whole chunks"):
        check_ownership(array, (slice(0, 1), slice(2, 4)))


def test_an_answer_with_other_labels_is_refused(full):
    (segment,) = full.glob("*.zarr")
    facts = {"l2_distance": (("draw", "image"), np.ones((1, 2), np.float32))}
    for labels in ({"draw": [9], "image": [100, 101]}, {"draw": [0], "image": [101, 100]}):
        with pytest.raises(ValueError, match="The labels of"):
            write(segment, 0, 0, xr.Dataset(facts, coords=labels), {})


def test_an_answer_of_another_shape_is_refused(full):
    (segment,) = full.glob("*.zarr")
    answer = xr.Dataset({"l2_distance": (("draw", "image"), np.ones((2, 2), np.float32))})
    with pytest.raises(ValueError, match=r"earlier answers .* have \(3, 1, 6\)"):
        write(segment, 0, 0, answer, {})


def test_answers_of_nan_alone_count_as_answers(tmp_path):
    (unit, *_) = plan_units(toy_tasks(1, ToyImages(count=2)), tmp_path, "cpu")
    nothing = xr.Dataset({"l2_distance": (("draw", "image"), np.full((1, 2), np.nan, np.float32))})
    write(unit.segment, 0, 0, nothing, {})
    assert store.verify(tmp_path) == []
    assert store.load(tmp_path).l2_distance.isnull().all()
    assert plan_units(toy_tasks(1, ToyImages(count=2)), tmp_path, "cpu") == []


class Disk:
    """A disk that refuses the write number `last`, and every later one, until it is given room."""

    def __init__(self, monkeypatch, code, last):
        self.code, self.left = code, last
        for owner, name in ((Path, "mkdir"), (Path, "write_bytes"), (Path, "replace")):
            monkeypatch.setattr(owner, name, self.checking(getattr(owner, name)))

    def checking(self, function):
        def checked(path, *arguments, **options):
            if self.left <= 0:
                raise OSError(self.code, os.strerror(self.code), str(path))
            self.left -= 1
            return function(path, *arguments, **options)

        return checked


def raised(function):
    """Return the error of the disk that a function met, if it met one."""
    try:
        function()
    except OSError as error:
        return error
    return None


@pytest.mark.parametrize(("code", "step"), [(errno.ENOSPC, 1), (errno.EROFS, 7)], ids=["full", "read-only"])
def test_a_disk_that_refuses_any_write_is_named_and_nothing_is_lost(tmp_path, code, step):
    images = ToyImages(count=2)
    begun, more = toy_tasks(1, images), toy_tasks(2, images)
    run(begun, tmp_path / "begun", quiet=True)
    expected = store.load(run(more, shutil.copytree(tmp_path / "begun", tmp_path / "undisturbed"), quiet=True)).load()
    for last in itertools.count(step=step):
        root = shutil.copytree(tmp_path / "begun", tmp_path / f"store {last}")
        with pytest.MonkeyPatch.context() as patched:
            disk = Disk(patched, code, last)
            refusal = raised(lambda root=root: run(more, root, quiet=True))
        if refusal is None:
            assert disk.left >= 0
            break
        assert refusal.errno == code
        assert str(refusal).count(str(root)) == 1
        assert "could not be written" in str(refusal)
        assert "run again" in str(refusal)
        assert_whole(root, expected)
        xr.testing.assert_identical(store.load(run(more, root, quiet=True)).load(), expected)
    assert last > 20, "every one of a run's writes was refused once"


def test_a_store_that_cannot_begin_names_its_folder(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OSError, match=r"file/store.* could not be written"):
        run(toy_tasks(1), tmp_path / "file" / "store", quiet=True)


def test_a_header_holds_numbers_that_json_lacks(tmp_path):
    (task,) = toy_tasks(1)
    unusual = [replace(task, purifier_name=f"{odd}", purifier=Noted(odd)) for odd in (math.inf, math.nan, -0.0)]
    root = run(unusual, tmp_path, quiet=True)
    assert store.load(root).recipe.values.tolist() == ["Noted(note=inf)", "Noted(note=nan)", "Noted(note=-0.0)"]
    assert plan_units(unusual, root, "cpu") == []
    assert store.verify(root) == []


def test_creating_the_same_segment_again_changes_nothing(full):
    (progress,) = store.progress_of(full)
    before = sorted((path, path.stat().st_mtime_ns) for path in full.rglob("*"))
    assert create(full, progress.plan) == progress.segment
    assert sorted((path, path.stat().st_mtime_ns) for path in full.rglob("*")) == before


def test_a_folder_s_name_holds_its_header_s_digest(full):
    (progress,) = store.progress_of(full)
    plan: Plan = progress.plan
    assert progress.segment.name == folder_name(plan.label, to_json(plan))
    moved = progress.segment.with_name("distances-0123456789abcdef.zarr")
    shutil.move(progress.segment, moved)
    with pytest.raises(ValueError, match="header does not match its name"):
        store.load(full)


def test_a_batch_s_facts_do_not_depend_on_its_unit(full, undisturbed, tmp_path, monkeypatch):
    monkeypatch.setattr("purigeom.tasks.IMAGES_PER_UNIT", 128)
    whole = store.load(run(toy_tasks(), tmp_path / "one unit", quiet=True)).load()
    assert torch.equal(torch.from_numpy(whole.l2_distance.values), torch.from_numpy(undisturbed.l2_distance.values))
