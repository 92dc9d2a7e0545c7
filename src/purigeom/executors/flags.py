"""From the flags of a command to the executor they choose."""

from pathlib import Path

from purigeom.executors.dask import Dask
from purigeom.executors.local import Processes, in_process
from purigeom.executors.protocol import Executor
from purigeom.executors.slurm import Slurm


def chosen(workers: int = 0, dask: str = "", slurm: str = "") -> Executor:
    """Return the executor of `--workers N`, `--dask ADDRESS|local:N` or `--slurm NAME=VALUE,...`; else this process.

    Examples
    --------
    >>> chosen(dask="local:4").workers
    4
    >>> chosen(slurm="jobs=16,partition=gpu,timeout_min=600").parameters
    {'partition': 'gpu', 'timeout_min': 600}
    """
    given = {"--workers": workers, "--dask": dask, "--slurm": slurm}
    if sum(bool(value) for value in given.values()) > 1:
        asked = " and ".join(f"{flag} {value}" for flag, value in given.items() if value)
        msg = f"Work is done in one place: choose one of --workers, --dask and --slurm; got {asked}."
        raise ValueError(msg)
    if dask:
        return _dask(dask)
    if slurm:
        return _slurm(slurm)
    return Processes(workers) if workers else in_process


def _dask(word: str) -> Dask:
    own, _, count = word.partition(":")
    if own != "local":
        return Dask(word)
    if not count.isdigit():
        msg = f"--dask needs the address of a scheduler, or local:N for N workers of its own; got {word!r}."
        raise ValueError(msg)
    return Dask(workers=int(count))


def _slurm(words: str) -> Slurm:
    """Return the array of `jobs=N,folder=PATH,NAME=VALUE,...`, whose other names are submitit's."""
    found: dict[str, str] = {}
    for word in words.split(","):
        name, equals, value = word.partition("=")
        if not (name and equals and value):
            msg = f"--slurm needs NAME=VALUE,... such as jobs=16,partition=gpu,timeout_min=600; got {word!r}."
            raise ValueError(msg)
        found[name] = value
    jobs, folder = found.pop("jobs", f"{Slurm.jobs}"), Path(found.pop("folder", f"{Slurm.folder}"))
    if not jobs.isdigit():
        msg = f"--slurm needs a whole number of jobs; got jobs={jobs}."
        raise ValueError(msg)
    return Slurm(int(jobs), folder, {name: _number(value) for name, value in found.items()})


def _number(word: str) -> str | int | float:
    """Return a word as the number it is, if it is one."""
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word
