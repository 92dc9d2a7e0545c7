"""What the fields of attacks must be and how labels tell them, said the same way by all."""

from dataclasses import MISSING, fields
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


def titled(attack: Any, name: str, *said: str) -> str:
    """Return a label: a name, restarts and loss where there are such, the norm, and what is not as usual and not said.

    Parameters
    ----------
    attack
        A frozen description with a norm.
    name
        What the label begins with.
    said
        Fields that the name tells already.
    """
    times = f"x{attack.restarts}" if getattr(attack, "restarts", 1) > 1 else ""
    loss = f" {attack.loss}" if "loss" not in said and getattr(attack, "loss", "ce") != "ce" else ""
    told = {*said, "restarts", "loss", "norm"}
    others = [
        f"{field.name} {getattr(attack, field.name)!r}"
        for field in fields(attack)
        if field.name not in told and field.default is not MISSING and getattr(attack, field.name) != field.default
    ]
    return f"{name}{times}{loss} {attack.norm}" + (f" ({', '.join(others)})" if others else "")
