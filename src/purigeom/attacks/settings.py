"""What the fields of attacks must be, said the same way by all."""

from typing import Any, get_args


def check_counts(attack: object, **counts: int) -> None:
    """Raise unless every named count is a whole number of at least one."""
    for field, count in counts.items():
        if not isinstance(count, int) or count < 1:
            msg = f"{type(attack).__name__}.{field} must be a whole number of at least 1; got {count!r}."
            raise ValueError(msg)


def check_lengths(attack: object, **lengths: float) -> None:
    """Raise unless every named length is above zero."""
    for field, length in lengths.items():
        if not length > 0:
            msg = f"{type(attack).__name__}.{field} must be above zero; got {length!r}."
            raise ValueError(msg)


def check_options(attack: object, **options: Any) -> None:
    """Raise unless every named field is one of its options, given as their Literal."""
    for field, literal in options.items():
        if getattr(attack, field) not in get_args(literal):
            msg = f"{type(attack).__name__}.{field} must be one of {get_args(literal)}; got {getattr(attack, field)!r}."
            raise ValueError(msg)
