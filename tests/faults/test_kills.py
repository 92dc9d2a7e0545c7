"""Claims about studies whose processes are killed, and about two drivers of one store: nothing is lost or damaged."""

from contextlib import ExitStack

import pytest

from benchmarks.fault_victims import KINDS, PATIENCE, running
from benchmarks.faults import Toll, answers, killed, lost, study
from purigeom import store
from purigeom.sweep import run

FEW, SOME, IMAGES = 20, 40, 256


def assert_nothing_is_lost(toll: Toll, count: int, kinds: tuple[str, ...]) -> None:
    assert toll.killed == dict.fromkeys(kinds, count // len(kinds))
    assert (toll.lost, toll.damage) == (0, ())
    assert toll.units > count
    assert toll.slowest < PATIENCE / 2, "a driver that loses its scheduler ends soon"


def test_a_study_on_a_dask_cluster_outlives_everybody_of_it() -> None:
    """This machine's own workers and drivers are killed in `tests/store/test_kills.py` and `tests/executors`."""
    kinds = KINDS[2:]
    assert_nothing_is_lost(killed(3, kinds, SOME, IMAGES), 3, kinds)


@pytest.mark.slow
def test_a_study_outlives_fifty_kills_of_anybody() -> None:
    assert_nothing_is_lost(killed(50), 50, KINDS)


@pytest.mark.parametrize("dask", [(False, False), pytest.param((False, True), marks=pytest.mark.slow)])
def test_two_drivers_with_workers_of_their_own_answer_each_unit_of_a_store_once(tmp_path, dask) -> None:
    words = ["-m", "benchmarks.faults", str(tmp_path / "together"), str(FEW), str(IMAGES)]
    with ExitStack() as stack:
        drivers = [stack.enter_context(running(words, dask=its)) for its in dask]
        assert [one.driver.wait(PATIENCE) for one in drivers] == [0, 0], [one.words() for one in drivers]
    run(study(FEW, IMAGES), tmp_path / "alone", quiet=True)
    units = len(answers(tmp_path / "alone"))
    assert lost(tmp_path / "together", tmp_path / "alone") == (0, units)
    assert len(store.provenance(tmp_path / "together")) == units, "and no unit is there twice"
    assert store.verify(tmp_path / "together") == []
