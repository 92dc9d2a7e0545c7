"""Claims about Dask: its workers and its scheduler may die, and what can be answered is."""

import json
import subprocess
import sys
import time

import dask
import pytest

from purigeom.executors import Dask
from tests.executors.chores import Chore, sorted_out, work


def test_nothing_that_a_unit_does_costs_another_its_answer(tmp_path):
    """Two units at a time are with a worker: a deadly one takes an innocent along, and the scheduler blames both."""
    harmful = [Chore(1, "once", tmp_path / "grave"), Chore(3, "always"), Chore(5, "raise")]
    chores = [Chore(0), harmful[0], Chore(2), harmful[1], Chore(4), harmful[2], *map(Chore, range(6, 12))]
    answers, lost = sorted_out(Dask(retries=0), chores)
    assert answers == [0, 1, 2, 4, *range(6, 12)]
    assert lost == {
        3: "its worker process was killed every time, perhaps for memory",
        5: "ValueError: chore 5 is bad",
    }


@pytest.fixture
def scheduler(tmp_path):
    """Start a scheduler with one worker, as a cluster has them; yield its process and address."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    words = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    begun = subprocess.Popen([*words, "--no-dashboard", "--scheduler-file", tmp_path / "scheduler.json"], **quiet)
    until = time.monotonic() + 60
    while not (tmp_path / "scheduler.json").exists():
        assert time.monotonic() < until, "the scheduler never began"
        time.sleep(0.02)
    address = json.loads((tmp_path / "scheduler.json").read_text())["address"]
    words = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--no-nanny", "--nthreads", "1"]
    worker = subprocess.Popen([*words, "--no-dashboard", "--local-directory", tmp_path], **quiet)
    yield begun, address
    for process in (worker, begun):
        process.kill()
        process.wait()


def test_a_scheduler_that_dies_is_named_with_what_to_do(scheduler):
    process, address = scheduler
    outcomes = Dask(address, window=2)(work, map(Chore, range(1000)))
    assert next(outcomes) in {0, 1}
    process.kill()
    with pytest.raises(RuntimeError, match=rf"The Dask scheduler {address} was lost.* stored; run again once there is"):
        list(outcomes)


@pytest.mark.parametrize("address", ["10.0.0.1", "nonsense", "http://there:1"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(ValueError, match=rf"Dask.address must be a scheduler's, such as .* got '{address}'"):
        list(Dask(address)(work, [Chore(0)]))


def test_an_address_where_nobody_answers_is_named():
    hurried = dask.config.set({"distributed.comm.timeouts.connect": "100ms"})
    with hurried, pytest.raises(ConnectionError, match=r"No Dask scheduler answers at tcp://127.0.0.1:1: "):
        list(Dask("tcp://127.0.0.1:1")(work, [Chore(0)]))


def test_where_there_is_no_dask_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ImportError, match=r"pip install 'purigeom\[dask\]'"):
        list(Dask()(work, [Chore(0)]))


def test_no_cluster_is_started_for_nothing():
    assert list(Dask("tcp://127.0.0.1:1")(work, [])) == []


def test_two_clusters_at_once_are_not_in_each_other_s_way():
    outcomes = Dask(workers=1)(work, map(Chore, range(2)))
    found = [next(outcomes)]
    assert list(Dask(workers=1)(work, [Chore(2)])) == [2], "nor does one warn of the other"
    assert sorted([*found, *outcomes]) == [0, 1]


def test_what_cannot_be_sent_is_said_before_a_cluster_is_there():
    with pytest.raises(TypeError, match="Dask sends units to other processes, and these cannot be sent"):
        list(Dask("tcp://127.0.0.1:1")(work, [(number for number in range(3))]))


@pytest.mark.parametrize("wrong", [{"workers": 0}, {"threads": 0}, {"window": 0}, {"retries": -1}])
def test_counts_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match=r"Dask\.\w+ must be \d or more; got"):
        Dask(**wrong)
