"""Claims about this process and its worker processes: nothing is lost where one of them dies."""

import signal
import subprocess
import sys

import psutil
import pytest
import torch

from purigeom import store, tasks
from purigeom.executors import Processes, in_process
from purigeom.executors.worker import settle
from purigeom.purifiers.wrapped import wrap
from purigeom.sweep import Task, run
from tests.executors.chores import Chore, Unreadable, sorted_out, work, workers_of
from tests.toys import Mortal, Moved, Scale, ToyImages


def test_this_process_answers_in_order_and_only_when_asked():
    asked = []
    answers = in_process(lambda unit: asked.append(unit) or -unit, [3, 1, 2])
    assert asked == []
    assert next(answers) == -3
    assert asked == [3]
    assert list(answers) == [-1, -2]


def test_nothing_that_a_unit_does_costs_another_its_answer(tmp_path):
    harmful = [Chore(1, "once", tmp_path / "grave"), Chore(3, "always"), Chore(5, "raise")]
    chores = [Chore(0), harmful[0], Chore(2), harmful[1], Chore(4), harmful[2], Chore(6)]
    answers, lost = sorted_out(Processes(2, retries=1), chores)
    assert answers == [0, 1, 2, 4, 6]
    assert lost == {
        3: "its worker process was killed 2 times, perhaps for memory",
        5: "ValueError: chore 5 is bad",
    }


def test_what_a_worker_cannot_read_is_lost_with_the_reason():
    (lost,) = Processes(1)(work, [Unreadable()])
    assert lost.why == "ImportError: there is no such module here"


def test_a_killed_worker_s_unit_is_answered_by_the_next_as_if_nothing_had_happened(tmp_path, monkeypatch):
    monkeypatch.setattr(tasks, "IMAGES_PER_UNIT", 2)
    asked = [Task("half", Scale(0.5), Mortal(tmp_path / "grave", image=104), ToyImages(count=8))]
    found = store.load(run(asked, tmp_path / "store", Processes(1), quiet=True)).load()
    assert (tmp_path / "grave").exists()
    assert found.identical(store.load(run(asked, tmp_path / "undisturbed", quiet=True)).load())
    assert store.verify(tmp_path / "store") == []
    assert {unit["threads"] for unit in store.provenance(tmp_path / "store")} == {1}


@pytest.mark.parametrize(
    ("engine", "count", "blow"),
    [("processes", 2, signal.SIGKILL), ("processes", 2, signal.SIGINT), ("dask", 1, signal.SIGKILL)],
)
def test_no_worker_outlives_its_driver(tmp_path, engine, count, blow):
    words = [sys.executable, "-m", "tests.executors.chores", engine, str(tmp_path)]
    with subprocess.Popen(words, stderr=subprocess.DEVNULL) as driver:
        workers = workers_of(tmp_path, count)
        family = [*workers, *(process for process in psutil.Process(driver.pid).children(recursive=True))]
        driver.send_signal(blow)
        driver.wait(30)
    left = psutil.wait_procs(family, 30)[1]
    assert left == []
    assert len(list(tmp_path.iterdir())) == count, "and what waited was not begun"


def test_a_script_that_starts_workers_unguarded_is_told_how(tmp_path):
    script = tmp_path / "study.py"
    script.write_text("from purigeom.executors import Processes\nprint(list(Processes(1, retries=0)(abs, [-1])))\n")
    ended = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False, timeout=100)
    assert ended.returncode == 1
    last = ended.stderr.splitlines()[-1]
    assert last.startswith("RuntimeError: No worker could be started: its worker process ended once, with exit code 1.")
    assert 'if __name__ == "__main__":' in last


def test_what_cannot_be_sent_to_a_worker_is_said_before_one_starts(tmp_path):
    nameless = wrap(lambda images: images / 2, name="half")
    with pytest.raises(TypeError, match=r"these cannot be sent: .*lambda.* at the top of a file"):
        run([Task("half", nameless, Moved(), ToyImages())], tmp_path / "store", Processes(1), quiet=True)
    found = store.load(run([Task("half", nameless, Moved(), ToyImages())], tmp_path / "store", quiet=True))
    assert found.purifier.values.tolist() == ["half"]


@pytest.mark.parametrize("wrong", [{"workers": 0}, {"workers": 1, "threads": 0}, {"workers": 1, "retries": -1}])
def test_counts_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match=r"Processes\.\w+ must be \d or more; got"):
        Processes(**wrong)


@pytest.fixture
def taken(monkeypatch):
    """Return the list of the devices that are taken, of two that this process seems to have."""
    devices = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", devices.append)
    return devices


def test_workers_take_the_cuda_devices_in_turn(taken):
    for place in range(5):
        settle(torch.get_num_threads(), place)
    assert taken == [0, 1, 0, 1, 0]


def test_who_has_no_place_or_no_device_takes_none(taken, monkeypatch):
    settle(torch.get_num_threads())
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    settle(torch.get_num_threads(), 1)
    assert taken == []
