"""How many images networks were asked about: counted where they are called, while someone counts."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(eq=False)  # two counters are never the same one
class Evaluations:
    """Images that the networks of this process have answered while this was counted."""

    count: int = 0


_open: list[Evaluations] = []
_since_the_start = Evaluations()


def evaluations_so_far() -> int:
    """Return how many images networks have answered since the program began; what lies between two calls is a cost."""
    return _since_the_start.count


@contextmanager
def counted() -> Iterator[Evaluations]:
    """Count the network evaluations inside; what backward passes recompute counts as well."""
    evaluations = Evaluations()
    _open.append(evaluations)
    try:
        yield evaluations
    finally:
        _open.remove(evaluations)


def evaluated(images: int) -> None:
    """Say that a network was asked about so many images."""
    for evaluations in (_since_the_start, *_open):
        evaluations.count += images
