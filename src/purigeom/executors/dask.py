"""Units of work done by a Dask cluster: its own on this machine, or any whose scheduler has an address."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from purigeom.executors.protocol import Answer, Lost, Unit, at_least, sentence
from purigeom.executors.worker import Parcel, parcel, settle

if TYPE_CHECKING:
    from distributed import Client, Future

_QUIET: dict[str, Any] = {
    "silence_logs": logging.CRITICAL,
    "scheduler_kwargs": {"dashboard": False},
    "dashboard_address": "127.0.0.1:0",  # no port of its own, which another cluster may have
}


@dataclass(frozen=True)
class Dask:
    """Send units to the workers of a Dask scheduler, such as dask-jobqueue's, or of a cluster on this machine.

    Workers of a cluster of its own have a place each, as those of `Processes`; at an address, devices belong to who
    started the workers. A unit whose worker dies is tried elsewhere: up to `retries` times more on a cluster of its
    own, as often as the scheduler is set to (`distributed.scheduler.allowed-failures`) at an address. What the
    scheduler gives up is tried again at the end, alone, for it also gives up units that only waited beside a bad one.

    Dask sends pickled objects: connect to a cluster only if you trust everyone who can reach it.

    Parameters
    ----------
    address
        The scheduler's, such as "tcp://10.0.0.1:8786"; without one, a cluster is started and ended here.
    workers
        How many processes a cluster of its own has.
    threads
        How many threads a unit uses.
    retries
        How often a unit is tried again on a cluster of its own.
    window
        How many units the scheduler is given at a time.
    """

    address: str = ""
    workers: int = 2
    threads: int = 1
    retries: int = 2
    window: int = 256

    def __post_init__(self) -> None:
        for name in ("workers", "threads", "window"):
            at_least(1, f"Dask.{name}", getattr(self, name))
        at_least(0, "Dask.retries", self.retries)

    def __call__(self, function: Callable[[Unit], Answer], units: Iterable[Unit]) -> Iterator[Answer | Lost[Unit]]:
        listed = list(units)
        if not listed:
            return
        parcel((function, listed), "Dask", _dumps())
        suspects: list[Unit] = []
        with self._client() as client:
            for unit, said, fault in self._answers(client, function, listed, self.window):
                if _killed(fault):
                    suspects.append(unit)
                else:
                    yield Lost(unit, sentence(fault)) if fault else said
            for unit, said, fault in self._answers(client, function, suspects, 1):
                yield Lost(unit, _why(fault)) if fault else said

    def _answers(
        self, client: "Client", function: Callable[[Unit], Answer], units: list[Unit], window: int
    ) -> Iterator[tuple[Unit, Any, BaseException | None]]:
        """Yield units with their answers, or with what was raised for them, so many at the scheduler at a time."""
        from distributed import as_completed

        dumps = _dumps()

        def asked(unit: Unit) -> "Future":
            sent = parcel((function, unit), "Dask", dumps)
            return client.submit(_worked, sent, self.threads, not self.address, pure=False)

        waiting = iter(units)
        there = {asked(unit): unit for unit in islice(waiting, window)}
        finished = as_completed(list(there), loop=client.loop, with_results=True, raise_errors=False)
        for future, said in finished:
            if future.status not in {"finished", "error"}:
                msg = (
                    f"The Dask scheduler {self.address} was lost, or has dropped units. What was answered is stored; "
                    "run again once there is a scheduler."
                )
                raise RuntimeError(msg)
            for unit in islice(waiting, 1):
                following = asked(unit)
                there[following] = unit
                finished.add(following)
            done = future.status == "finished"
            yield there.pop(future), said if done else None, None if done else said[1]

    @contextmanager
    def _client(self) -> Iterator["Client"]:
        """Connect to the scheduler, or to a cluster that ends with the connection."""
        import dask
        from distributed import Client, LocalCluster
        from distributed.utils import silence_logging_cmgr

        with ExitStack() as stack:
            stack.enter_context(silence_logging_cmgr(logging.CRITICAL))  # what matters of it is said here
            if self.address:
                client = _connected(self.address)
            else:
                with dask.config.set({"distributed.scheduler.allowed-failures": self.retries}):
                    cluster = LocalCluster(n_workers=self.workers, threads_per_worker=1, **_QUIET)
                client = Client(stack.enter_context(cluster), set_as_default=False)
            yield stack.enter_context(client)


def _connected(address: str) -> "Client":
    """Return a client of the scheduler at an address; raise where there is none."""
    from distributed import Client
    from distributed.comm import resolve_address

    try:
        resolve_address(address)
        return Client(address, set_as_default=False)
    except ValueError as error:
        msg = f"Dask.address must be a scheduler's, such as 'tcp://10.0.0.1:8786'; got {address!r} ({error})."
        raise ValueError(msg) from error
    except TypeError as error:
        msg = f"{address} needs certificates that Dask's settings name, as docs/threat-model.md shows ({error})."
        raise ValueError(msg) from error
    except OSError as error:
        msg = f"No Dask scheduler answers at {address}: {error}. Start it, or look at its log for its address."
        raise ConnectionError(msg) from error


def _worked(sent: Parcel, threads: int, own: bool) -> Any:
    """Answer a unit on a worker, which has a place where the cluster is our own."""
    from distributed import get_worker

    settle(threads, int(get_worker().name) if own else None)
    function, unit = sent.opened()
    return function(unit)


def _dumps() -> Callable[[object], bytes]:
    """Return what pickles as Dask does, classes of a script or notebook too; raise where there is no Dask."""
    try:
        import distributed  # noqa: F401
        from cloudpickle import dumps
    except ImportError as error:
        msg = f"Dask needs a package that is not here ({error}): pip install 'purigeom[dask]'."
        raise ImportError(msg) from error
    pickled: Callable[[object], bytes] = dumps
    return pickled


def _killed(fault: BaseException | None) -> bool:
    """Return whether the scheduler has given up on a unit because workers died."""
    from distributed import KilledWorker

    return isinstance(fault, KilledWorker)


def _why(fault: BaseException) -> str:
    """Return why a unit that was tried alone has no answer."""
    return "its worker process was killed every time, perhaps for memory" if _killed(fault) else sentence(fault)
