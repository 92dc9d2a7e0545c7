"""Claims about clocks that jump by years: no answer depends on them, and what is said of the rest stays sensible."""

import itertools
import re
import time

import pytest

from purigeom import commands, store, tasks
from purigeom.store.findings import seal_of
from purigeom.store.places import remove
from purigeom.sweep import run
from tests.store.contents import facts
from tests.toys import ToyImages, toy_tasks

YEARS = 1e8
"""Three years, in seconds."""
BACK_AND_FORTH = [0, YEARS, 0, -YEARS]
"""How the clock jumps before it is looked at: while the first unit is answered, and while the second is."""


def study(root, jumps):
    """Return a store of one purifier's six units, made while the clock jumps."""
    moved, clocks = itertools.accumulate(itertools.chain(jumps, itertools.repeat(0))), (time.perf_counter, time.time)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(tasks, "IMAGES_PER_UNIT", 2)
        patched.setattr(time, "perf_counter", lambda: clocks[0]() + next(moved))
        patched.setattr(time, "time", lambda: clocks[1]() - YEARS)
        return run(toy_tasks(1, ToyImages(count=12)), root, quiet=True)


def said_of_the_rest(root):
    """Return what `purigeom info` says of the last unit once it is missing."""
    (progress,) = store.progress_of(root)
    remove(seal_of(progress.segment, 0, 5))
    return commands.contents(root).splitlines()[-1]


def test_answers_do_not_depend_on_the_clock(tmp_path):
    assert facts(study(tmp_path / "disturbed", BACK_AND_FORTH)) == facts(study(tmp_path / "undisturbed", []))
    assert store.verify(tmp_path / "disturbed") == []


def test_no_unit_took_less_than_no_time_and_the_rest_is_told_by_the_others(tmp_path):
    root = study(tmp_path / "store", BACK_AND_FORTH)
    seconds = [made["seconds"] for made in store.provenance(root)]
    assert (seconds[0] > YEARS - 1, seconds[1]) == (True, 0)
    assert all(0 < one < 60 for one in seconds[2:])
    assert re.search(r"5 of 6 units done, the rest takes about [\d.]+ s with one worker$", said_of_the_rest(root))


def test_where_the_clock_tells_of_no_unit_nothing_is_said_of_the_rest(tmp_path):
    root = study(tmp_path / "store", [0, -YEARS] * 6)
    assert said_of_the_rest(root).endswith("5 of 6 units done, how long the rest takes is unknown")
