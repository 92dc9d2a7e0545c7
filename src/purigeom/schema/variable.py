"""What is declared of a stored variable."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Variable:
    """The contract of one stored variable; in a store, `purifier` comes before its dimensions."""

    name: str
    dims: tuple[str, ...]
    meaning: str
    units: str = "1"
