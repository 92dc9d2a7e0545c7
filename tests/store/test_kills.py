"""Claims about writers that are killed without warning: nothing is torn, and the next run ends where one run would."""

import random
import time
from pathlib import Path

import pytest
import xarray as xr

from purigeom import store
from purigeom.store.places import files
from purigeom.sweep import run
from tests.processes import CONTEXT, IMAGES_PER_UNIT, drive, started
from tests.store.contents import facts
from tests.toys import ToyImages, toy_tasks


@pytest.fixture(params=["folder", "bucket"])
def root(request, tmp_path):
    return tmp_path / "store" if request.param == "folder" else store.place(request.getfixturevalue("bucket") / "store")


def kill(tasks, root, units, seconds):
    """Start a run elsewhere, let it finish some units, wait a moment and kill it without warning."""
    begun, go = CONTEXT.Event(), CONTEXT.Event()
    before = units_in(root)
    process = started(drive, tasks, root, begun, go)
    begun.wait(60)
    go.set()
    while units_in(root) < before + units and process.is_alive():
        time.sleep(0.001 if isinstance(root, Path) else 0.05)
    time.sleep(seconds)
    process.kill()
    process.join()


def units_in(root):
    return sum(len(files(segment / "made_by")) - 1 for segment in store.presence.segments(root))


def whole_rows(root, expected):
    """See that what the store shows is right, and that nothing in it is damaged; return how many rows there are."""
    if not store.presence.segments(root):
        return 0
    assert [finding for finding in store.verify(root) if not finding.harmless] == []
    if not store.progress_of(root):
        return 0
    found = store.load(root).load()
    if found.sizes["purifier"]:
        xr.testing.assert_identical(found, expected.sel(purifier=found.purifier))
    return found.sizes["purifier"]


def kill_and_resume(root, alone, moments, beginnings, kills):
    """Kill runs while they begin, each in a store of its own, then one run again and again; finish and compare."""
    tasks = toy_tasks(12, ToyImages(count=20)) if isinstance(root, Path) else toy_tasks(4, ToyImages(count=10))
    units = len(tasks) * len(tasks[0].images.load()) // IMAGES_PER_UNIT
    expected = store.load(run(tasks, alone, quiet=True)).load()
    for place in range(beginnings):
        there = root / f"begun {place}"
        kill(tasks, there, 0, moments.uniform(0, 0.1 if isinstance(root, Path) else 0.4))
        whole_rows(there, expected)
    seen = []
    for _ in range(kills):
        kill(tasks, there, moments.randint(1, -(-units // kills)), moments.uniform(0, 0.02))
        seen.append(whole_rows(there, expected))
    assert seen == sorted(seen)
    assert seen[-1] > 0, "the kills came too early to say anything"
    run(tasks, there, quiet=True)
    assert [finding for finding in store.repair(there) if not finding.harmless] == [], "only half files may be left"
    assert facts(there) == facts(alone)


def test_a_run_killed_ten_times_ends_as_one_that_was_not(root, tmp_path):
    """Five times where every file takes a request."""
    beginnings, kills = (4, 6) if isinstance(root, Path) else (2, 3)
    kill_and_resume(root, tmp_path / "alone", random.Random(0), beginnings, kills)


@pytest.mark.slow
def test_a_run_killed_fifty_times_ends_as_one_that_was_not(root, tmp_path):
    kill_and_resume(root, tmp_path / "alone", random.Random(1), 20, 30)
