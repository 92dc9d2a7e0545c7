"""Claims about the flags of a command that say where its work is done."""

import sys
from pathlib import Path

import pytest

from purigeom import __main__, store
from purigeom.executors import Dask, Processes, Slurm, chosen, in_process


@pytest.mark.parametrize(
    ("flags", "executor"),
    [
        ({}, in_process),
        ({"workers": 3}, Processes(3)),
        ({"dask": "local:3"}, Dask(workers=3)),
        ({"dask": "tcp://10.0.0.1:8786"}, Dask("tcp://10.0.0.1:8786")),
        ({"slurm": "partition=gpu"}, Slurm(parameters={"partition": "gpu"})),
        (
            {"slurm": "jobs=64,folder=logs/jobs,partition=gpu,timeout_min=90,mem_gb=7.5"},
            Slurm(64, Path("logs/jobs"), {"partition": "gpu", "timeout_min": 90, "mem_gb": 7.5}),
        ),
    ],
)
def test_flags_choose_an_executor(flags, executor):
    assert chosen(**flags) == executor


@pytest.mark.parametrize(
    ("flags", "match"),
    [
        ({"workers": 2, "dask": "local:2"}, "choose one of .* got --workers 2 and --dask local:2"),
        ({"dask": "tcp://there:1", "slurm": "jobs=1"}, "got --dask tcp://there:1 and --slurm jobs=1"),
        ({"workers": -1}, "Processes.workers must be 1 or more; got -1"),
        ({"dask": "local:two"}, "--dask needs the address of a scheduler, or local:N"),
        ({"dask": "local:0"}, "Dask.workers must be 1 or more; got 0"),
        ({"slurm": "gpu"}, "--slurm needs NAME=VALUE,... such as .* got 'gpu'"),
        ({"slurm": "jobs=many"}, "a whole number of jobs; got jobs=many"),
        ({"slurm": "jobs=0"}, "Slurm.jobs must be 1 or more; got 0"),
    ],
)
def test_flags_that_choose_nothing_are_refused(flags, match):
    with pytest.raises(ValueError, match=match):
        chosen(**flags)


@pytest.fixture
def command(monkeypatch, capsys):
    """Return a function that runs a command here, and returns its exit code and errors."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["purigeom", *map(str, words)])
        with pytest.raises(SystemExit) as stopped:
            __main__.main()
        return stopped.value.code, capsys.readouterr().err

    return run


def test_measure_works_where_its_flags_say(command, tmp_path):
    words = ("measure", "identity", "--images", "digits:2", "--out", tmp_path, "--quiet")
    assert command(*words, "--workers", 1) == (0, "")
    assert store.provenance(tmp_path)[0]["threads"] == 1
    code, err = command(*words, "--workers", 1, "--slurm", "jobs=2")
    assert (code, err.startswith("purigeom: Work is done in one place")) == (2, True)


def test_calibrate_takes_the_same_flags(command, tmp_path):
    code, err = command("calibrate", "median", "--dask", "local:none", "--out", tmp_path)
    assert (code, err.startswith("purigeom: --dask needs the address of a scheduler")) == (2, True)
