"""Units of work done by an array of Slurm jobs, through submitit."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from purigeom.executors.protocol import Answer, Lost, Unit, at_least, attempted, sentence
from purigeom.executors.worker import Parcel, parcel, settle

if TYPE_CHECKING:
    import submitit

_SHARED = ("name", "timeout_min", "mem_gb", "nodes", "cpus_per_task", "gpus_per_node", "tasks_per_node")
"""What submitit names alike for all its clusters; everything else is Slurm's own."""
_PAUSE = 1.0
"""Seconds between two looks for jobs that have ended."""


@dataclass(frozen=True)
class Slurm:
    """Send units to an array of jobs: of n jobs, job k works through units k, k + n, k + 2n, ... without asking anyone.

    A job that is told that it will be preempted or that its time is up notes where it is and is queued again. What
    comes back of a job comes back when it ends. Of a job that is killed nothing does: whatever it answered is in the
    store, its other units are `Lost` here, and running again asks for these alone. A job ends at an answer that is an
    exception. An interrupted driver cancels its jobs; one that is killed leaves them, and they fill the store without
    it.

    Parameters
    ----------
    jobs
        How many jobs the array has, or fewer where there are fewer units.
    folder
        Where jobs find their units and write their logs: it must be seen by all machines.
    parameters
        What submitit asks Slurm for, such as `partition`, `timeout_min` (without it Slurm is asked for five minutes),
        `gpus_per_node`, `cpus_per_task`, `mem_gb`, `array_parallelism`.
    threads
        How many threads a unit uses.
    cluster
        "slurm", or submitit's "local", which works on this machine.
    """

    jobs: int = 8
    folder: Path = Path("data_cache/slurm")
    parameters: Mapping[str, str | int | float] = field(default_factory=dict)
    threads: int = 1
    cluster: str = "slurm"

    def __post_init__(self) -> None:
        at_least(1, "Slurm.jobs", self.jobs)
        at_least(1, "Slurm.threads", self.threads)

    def __call__(self, function: Callable[[Unit], Answer], units: Iterable[Unit]) -> Iterator[Answer | Lost[Unit]]:
        listed = list(units)
        if not listed:
            return
        queue, dumps = self._queue()
        count = min(self.jobs, len(listed))
        strides = [
            Stride(parcel((function, listed[place::count]), "Slurm", dumps), self.threads) for place in range(count)
        ]
        with queue.batch():
            jobs = [queue.submit(stride) for stride in strides]
        try:
            yield from _brought(jobs, listed)
        except BaseException:
            for job in jobs:
                with suppress(OSError):
                    job.cancel(check=False)
            raise

    def _queue(self) -> tuple["submitit.Executor", Callable[[object], bytes]]:
        """Return who submits jobs, and what pickles as jobs do."""
        try:
            import submitit
            from cloudpickle import dumps
        except ImportError as error:
            msg = f"Slurm needs a package that is not here ({error}): pip install 'purigeom[slurm]'."
            raise ImportError(msg) from error
        try:
            queue = submitit.AutoExecutor(self.folder, self.cluster)
        except RuntimeError as error:
            msg = (
                f"Slurm is not on this machine: {error} Start this where jobs are submitted with `sbatch`, or compute "
                "here, in processes: --workers N (Python: Processes(N))."
            )
            raise RuntimeError(msg) from error
        asked = {name if name in _SHARED else f"slurm_{name}": value for name, value in self.parameters.items()}
        try:
            queue.update_parameters(**asked)
        except (NameError, AssertionError, ValueError) as error:
            msg = f"Slurm.parameters are not what submitit takes: {sentence(error)}"
            raise ValueError(msg) from error
        return queue, dumps


@dataclass
class Stride:
    """The units of one job, and the answers of those it has worked through: a job queued again goes on after them."""

    sent: Parcel
    threads: int
    answers: list[Any] = field(default_factory=list)

    def __call__(self) -> list[Any]:
        """Work through the units that are left, at most until an answer is an exception; return all that there are."""
        settle(self.threads)
        function, units = self.sent.opened()
        for unit in units[len(self.answers) :]:
            self.answers.append(attempted(function, unit))
            if isinstance(self.answers[-1], Exception):
                break
        return self.answers

    def checkpoint(self) -> "submitit.helpers.DelayedSubmission":
        """Return this as it is now, for submitit to queue again."""
        import submitit

        return submitit.helpers.DelayedSubmission(self)


def _brought(jobs: "list[submitit.Job[list[Any]]]", units: list[Unit]) -> Iterator[Any]:
    """Yield what jobs bring when they end; of one that brings nothing, all of its units as lost."""
    import submitit

    for job in submitit.helpers.as_completed(jobs, poll_frequency=_PAUSE):
        try:
            answers = job.result()
        except RuntimeError:  # submitit's own, for a job that was killed, timed out or could not open its parcel
            why = f"job {job.job_id} brought no answers, perhaps killed or out of time; its log is {job.paths.stderr}"
            answers = [Lost(unit, why) for unit in units[jobs.index(job) :: len(jobs)]]
        yield from answers
