"""Claims about arrays of Slurm jobs, which submitit runs on this machine too."""

import re
import sys

import psutil
import pytest
import submitit

from purigeom.executors import Slurm
from tests.executors.chores import Chore, linger, noted, refused, sorted_out, work, workers_of


def test_every_job_works_through_its_stride_and_a_killed_one_costs_no_other(tmp_path, monkeypatch):
    """Of two jobs the first has units 0, 2, 4, of which 2 raises, and the second 1, 3, 5, of which 3 is deadly."""
    monkeypatch.setattr(submitit.Job, "_results_timeout_s", 0)  # what a job left on this disk is there at once
    fates = {2: "raise", 3: "always"}
    array = Slurm(2, tmp_path, {"partition": "gpu", "timeout_min": 5}, cluster="local")
    answers, lost = sorted_out(array, [Chore(number, fates.get(number, "")) for number in range(6)])
    assert answers == [0, 4]
    assert lost.pop(2) == "ValueError: chore 2 is bad"
    assert list(lost) == [1, 3, 5]
    (why,) = set(lost.values())
    log = re.fullmatch(r"job \d+ brought no answers, perhaps killed or out of time; its log is (.*)", why)[1]
    assert log in {str(path) for path in tmp_path.iterdir()}


def test_a_job_that_must_go_is_queued_again_and_asks_for_nothing_twice(tmp_path):
    """Slurm sends the signal, which chore 1 sends itself, when a job is preempted and before its time is up."""
    chores = [Chore(number, "go" if number == 1 else "", tmp_path / "grave") for number in range(4)]
    array = Slurm(1, tmp_path / "jobs", {"timeout_min": 5}, cluster="local")
    assert list(array(noted, chores)) == [(0, 1), (1, 3), (2, 4), (3, 5)]
    assert (tmp_path / "diary").read_text().split() == ["0", "1", "1", "2", "3"]


def test_a_job_ends_at_an_answer_that_is_an_exception(tmp_path):
    chores = [Chore(number, "full" if number == 1 else "", tmp_path / "grave") for number in range(5)]
    answers = list(Slurm(1, tmp_path / "jobs", cluster="local")(refused, chores))
    assert answers[0] == 0
    assert isinstance(answers[1], OSError)
    assert (tmp_path / "diary").read_text().split() == ["0", "1"], "no chore is begun after it"


# submitit's local jobs are not waited for once they are cancelled
@pytest.mark.filterwarnings("ignore:Exception ignored in. <function Popen:pytest.PytestUnraisableExceptionWarning")
def test_who_stops_listening_cancels_the_jobs(tmp_path):
    (tmp_path / "workers").mkdir()
    outcomes = Slurm(2, tmp_path / "jobs", cluster="local")(linger, [None, tmp_path / "workers"])
    assert next(outcomes) is None
    workers = workers_of(tmp_path / "workers", 1)
    outcomes.close()
    assert psutil.wait_procs(workers, 30)[1] == []


@pytest.mark.parametrize("unknown", [{"partitoin": "gpu"}, {"timeout_min": "soon"}])
def test_what_slurm_is_not_asked_for_is_refused_before_a_job_is_submitted(tmp_path, unknown):
    with pytest.raises(ValueError, match=rf"Slurm.parameters are not what submitit takes: .*{next(iter(unknown))}"):
        list(Slurm(1, tmp_path, unknown, cluster="local")(work, [Chore(0)]))


def test_where_there_is_no_submitit_it_is_said_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "submitit", None)
    with pytest.raises(ImportError, match=r"pip install 'purigeom\[slurm\]'"):
        list(Slurm(1, tmp_path)(work, [Chore(0)]))


def test_where_there_is_no_slurm_it_is_said_with_what_to_do(tmp_path):
    with pytest.raises(
        RuntimeError, match=r"Slurm is not on this machine: .*srun.* --workers N \(Python: Processes\(N\)\)"
    ):
        list(Slurm(1, tmp_path)(work, [Chore(0)]))


@pytest.mark.parametrize("wrong", [{"jobs": 0}, {"threads": 0}])
def test_counts_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match=r"Slurm\.\w+ must be \d or more; got"):
        Slurm(**wrong)
