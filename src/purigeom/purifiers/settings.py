"""What every purifier asks of its settings, in one voice."""

import math
from typing import get_args


def check_sizes(purifier: object, *names: str) -> None:
    """Raise unless these fields are finite numbers of at least zero."""
    for name in names:
        value = getattr(purifier, name)
        if not 0 <= value < math.inf:
            msg = f"{type(purifier).__name__}.{name} must be finite and not negative; got {value!r}."
            raise ValueError(msg)


def check_counts(purifier: object, *names: str) -> None:
    """Raise unless these fields are whole numbers of at least one."""
    for name in names:
        value = getattr(purifier, name)
        if not isinstance(value, int) or value < 1:
            msg = f"{type(purifier).__name__}.{name} must be a whole number of at least 1; got {value!r}."
            raise ValueError(msg)


def check_choice(purifier: object, name: str, choices: object) -> None:
    """Raise unless a field is one of the names that its type lists."""
    value = getattr(purifier, name)
    if value not in get_args(choices):
        msg = f"{type(purifier).__name__}.{name} must be one of {get_args(choices)}; got {value!r}."
        raise ValueError(msg)
