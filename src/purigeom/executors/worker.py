"""What every worker needs, whoever started it: its share of threads, its device, and parcels it can open."""

import pickle
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Parcel:
    """Something pickled by one of our own processes for another, and where its modules were found."""

    content: bytes
    path: tuple[str, ...]

    def opened(self) -> Any:
        """Return what was sent, once its modules can be found here too."""
        sys.path.extend(place for place in self.path if place not in sys.path)
        return pickle.loads(self.content)  # noqa: S301  from the process that started this one, never from a store


def parcel(thing: object, who: str, dumps: Callable[[object], bytes] = pickle.dumps) -> Parcel:
    """Return a thing as it is sent to a worker; raise TypeError where it cannot be."""
    try:
        return Parcel(dumps(thing), tuple(sys.path))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        msg = (
            f"{who} sends units to other processes, and these cannot be sent: {error}. Define functions and "
            "classes by name at the top of a file, or stay in this process."
        )
        raise TypeError(msg) from error


def settle(threads: int, place: int | None = None) -> None:
    """Take a share of this machine's threads and, on CUDA, the device of a place, counted round from the first."""
    import torch

    torch.set_num_threads(threads)
    if place is not None and torch.cuda.is_available():
        torch.cuda.set_device(place % torch.cuda.device_count())
