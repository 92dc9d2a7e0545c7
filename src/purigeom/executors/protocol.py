"""What an executor is, and what it yields of a unit that it could not get answered."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

Unit = TypeVar("Unit")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Lost(Generic[Unit]):
    """A unit that has no answer, and why."""

    unit: Unit
    why: str


class Executor(Protocol):
    """A way to apply a function to many units, here or elsewhere.

    Every unit comes back once, in any order: as its answer, or as `Lost` where the function raised, or where its worker
    died as often as the executor tries. No unit costs another its answer. Units wait with who hands them out, not with
    who works on them.

    An answer that is an exception ends the work: whoever gets it raises it, which ends all workers, and no worker that
    has more units than one at hand begins another.
    """

    def __call__(self, function: Callable[[Unit], Answer], units: Iterable[Unit]) -> Iterator[Answer | Lost[Unit]]:
        """Yield every unit's answer as soon as it is there."""
        ...


def attempted(function: Callable[[Unit], Answer], unit: Unit) -> Answer | Lost[Unit]:
    """Return the answer of a unit, or what was raised in place of it."""
    try:
        return function(unit)
    except Exception as error:
        return Lost(unit, sentence(error))


def sentence(error: BaseException) -> str:
    """Return the kind of an error and what it says, on one line.

    Examples
    --------
    >>> sentence(ValueError("image 3 is  broken"))
    'ValueError: image 3 is broken'
    """
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def at_least(least: int, who: str, count: int) -> None:
    """Raise ValueError where a count of an executor is too small."""
    if count < least:
        msg = f"{who} must be {least} or more; got {count}."
        raise ValueError(msg)
