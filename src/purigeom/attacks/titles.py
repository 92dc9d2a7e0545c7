"""What labels of attacks tell."""

from dataclasses import MISSING, fields
from typing import Any


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
