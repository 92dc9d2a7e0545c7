"""Claims about studies whose store is behind a network: slow, refusing now and then, or gone."""

import itertools
from contextlib import ExitStack

import pytest
from upath import UPath

from purigeom import store, tasks
from purigeom.executors import Processes
from purigeom.sweep import run
from tests.object_store import served, slow
from tests.store.contents import facts
from tests.toys import ToyImages, toy_tasks


@pytest.fixture(autouse=True)
def small_units(monkeypatch):
    monkeypatch.setattr(tasks, "IMAGES_PER_UNIT", 2)


def test_a_study_of_two_workers_over_a_bad_network_is_the_one_made_here(bucket, server, tmp_path):
    count = itertools.count()
    server.fault = lambda method, path: "SlowDown" if next(count) % 25 == 24 else slow(0.005)(method, path)
    root = run(toy_tasks(4), store.place(bucket / "study"), Processes(2), quiet=True)
    assert next(count) > 50
    server.fault = slow(0)
    assert facts(root) == facts(run(toy_tasks(4), tmp_path / "here", quiet=True))
    assert store.verify(root) == []


def test_a_server_that_goes_away_stops_the_study_at_once():
    """Every attempt to reach it takes seconds, and no answer could be stored."""
    begun = []
    with ExitStack() as stack:
        bucket = stack.enter_context(served()).bucket()

        def cut_off(function, units):
            for unit in units:
                if len(begun) == 2:
                    stack.close()
                begun.append(unit)
                yield function(unit)

        impatient = UPath(str(bucket), **bucket.storage_options, config_kwargs={"retries": {"max_attempts": 0}})
        with pytest.raises(OSError, match=r"could not be written: .*Could not connect to the endpoint URL"):
            run(toy_tasks(3, ToyImages(count=8)), impatient / "study", cut_off, quiet=True)
    assert len(begun) == 3
