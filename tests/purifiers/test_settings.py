"""Wrong settings are refused where they are made, in a sentence that names the class and the field."""

import math
from dataclasses import fields, replace
from typing import get_type_hints

import pytest

from purigeom.catalog import DIGITS_UNET, PURIFIERS
from purigeom.purifiers.energy.noise_score import NoiseScore

EVERY_CLASS = {type(one): one for one in (*PURIFIERS.values(), NoiseScore(DIGITS_UNET))}
WRONG = {
    bool: ("x", math.nan, None, 1),
    int: ("x", math.nan, math.inf, 1.5, -1, None, True),
    float: ("x", math.nan, math.inf, -1.0, None, True),
}
MEANT = {
    ("EDMSampling", "churn_highest", math.inf): "noise is added up to any deviation",
    ("Quilting", "seed", -1): "a seed may be any whole number",
}
"""What is documented to mean something, and what; None is where the type says so."""


def wrong_settings():
    """Return every number and truth value of every class with each value that it must not take."""
    return [
        pytest.param(purifier, field.name, value, id=f"{kind.__name__}.{field.name}={value!r}")
        for kind, purifier in EVERY_CLASS.items()
        for field in fields(kind)
        for hint in (get_type_hints(kind)[field.name],)
        for value in WRONG.get(without_none(hint), ())
        if (kind.__name__, field.name, value) not in MEANT and not (value is None and hint != without_none(hint))
    ]


def without_none(hint):
    """Return the one type that a hint allows besides None, or the hint itself."""
    return next((one for one in WRONG if hint == one | None), hint)


@pytest.mark.parametrize(("purifier", "field", "value"), wrong_settings())
def test_a_wrong_setting_is_refused_by_name(purifier, field, value) -> None:
    with pytest.raises((ValueError, TypeError), match=rf"{type(purifier).__name__}\b.*\b{field}\b.*got"):
        replace(purifier, **{field: value})


@pytest.mark.parametrize(("name", "field", "value"), MEANT)
def test_a_setting_with_a_meaning_is_taken(name, field, value) -> None:
    purifier = next(one for kind, one in EVERY_CLASS.items() if kind.__name__ == name)
    assert getattr(replace(purifier, **{field: value}), field) == value


@pytest.mark.parametrize("purifier", EVERY_CLASS.values(), ids=[kind.__name__ for kind in EVERY_CLASS])
def test_none_is_taken_where_the_type_says_so(purifier) -> None:
    hints = get_type_hints(type(purifier))
    optional = [one.name for one in fields(purifier) if hints[one.name] != without_none(hints[one.name])]
    assert all(getattr(replace(purifier, **{name: None}), name) is None for name in optional)
