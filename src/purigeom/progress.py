"""How far a run is: a bar in a terminal or notebook, plain lines elsewhere."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

Thing = TypeVar("Thing")
LINES = 10
"""Number of plain lines that a whole run prints at the most."""


def shown(things: Iterable[Thing], total: int, what: str, *, quiet: bool = False) -> Iterator[Thing]:
    """Yield the things, telling standard error how many of them are done and how long the rest will take."""
    if quiet or not total:
        yield from things
    elif sys.stderr.isatty() or "ipykernel" in sys.modules:
        from tqdm.auto import tqdm

        yield from tqdm(things, desc=what, total=total, unit="unit", dynamic_ncols=True)
    else:
        yield from _in_lines(things, total, what)


def _in_lines(things: Iterable[Thing], total: int, what: str) -> Iterator[Thing]:
    started = time.monotonic()
    every = -(-total // LINES)
    for done, thing in enumerate(things, 1):
        yield thing
        if done % every == 0 or done == total:
            spent = time.monotonic() - started
            left = spent / done * (total - done)
            sys.stderr.write(f"{what}: {done} of {total} units in {spent:.0f} s, about {left:.0f} s left\n")
            sys.stderr.flush()
