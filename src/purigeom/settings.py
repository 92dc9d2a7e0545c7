"""What purifiers, attacks and questions ask of their settings, in one voice."""

import math
from typing import get_args


def check_numbers(described: object, *names: str) -> None:
    """Raise unless these fields are numbers, of any sign and size; truth values and nan are none."""
    for name in names:
        value = getattr(described, name)
        _demand(described, name, is_number(value), "a number")


def check_sizes(described: object, *names: str) -> None:
    """Raise unless these fields are finite numbers of at least zero."""
    for name in names:
        value = getattr(described, name)
        _demand(described, name, is_number(value) and 0 <= value < math.inf, "finite and not negative")


def check_positive(described: object, *names: str) -> None:
    """Raise unless these fields are finite numbers above zero."""
    for name in names:
        value = getattr(described, name)
        _demand(described, name, is_number(value) and 0 < value < math.inf, "finite and positive")


def check_lengths(described: object, *names: str) -> None:
    """Raise unless these fields are numbers above zero; infinity is one."""
    for name in names:
        value = getattr(described, name)
        _demand(described, name, is_number(value) and value > 0, "above zero")


def check_integers(described: object, *names: str) -> None:
    """Raise unless these fields are whole numbers of any sign, as seeds are."""
    for name in names:
        _demand(described, name, is_whole(getattr(described, name)), "a whole number")


def check_whole(described: object, *names: str) -> None:
    """Raise unless these fields are whole numbers of at least zero."""
    for name in names:
        value = getattr(described, name)
        _demand(described, name, is_whole(value) and value >= 0, "a whole number of at least 0")


def check_counts(described: object, *names: str) -> None:
    """Raise unless these fields are whole numbers of at least one."""
    for name in names:
        value = getattr(described, name)
        _demand(described, name, is_whole(value) and value >= 1, "a whole number of at least 1")


def check_width(described: object, name: str, least: int = 1) -> None:
    """Raise unless a field is an odd whole number, so that a window of this width has a middle."""
    value = getattr(described, name)
    odd = is_whole(value) and value >= least and value % 2 == 1
    _demand(described, name, odd, f"an odd whole number of at least {least} so that a middle exists")


def check_flags(described: object, *names: str) -> None:
    """Raise unless these fields are True or False."""
    for name in names:
        _demand(described, name, isinstance(getattr(described, name), bool), "True or False")


def check_choices(described: object, **literals: object) -> None:
    """Raise unless each of these fields is one of the names that its Literal lists."""
    for name, literal in literals.items():
        options = get_args(literal)
        _demand(described, name, getattr(described, name) in options, f"one of {options}")


def is_number(value: object) -> bool:
    """Return whether a value is a number: infinity is one, nan and truth values are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -math.inf <= value <= math.inf


def is_whole(value: object) -> bool:
    """Return whether a value is a whole number; truth values are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def _demand(described: object, name: str, met: bool, needed: str) -> None:
    if not met:
        msg = f"{type(described).__name__}.{name} must be {needed}; got {getattr(described, name)!r}."
        raise ValueError(msg)
