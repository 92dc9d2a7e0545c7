"""Claims about counting."""

import torch

from purigeom.cost import counted, evaluated
from purigeom.noise import Noise
from purigeom.purifiers.wrapped import wrap


def test_counters_within_counters_count_what_happens_while_they_are_open() -> None:
    with counted() as outer:
        evaluated(1)
        with counted() as inner, counted() as same:
            evaluated(2)
        evaluated(4)
    evaluated(8)
    assert (outer.count, inner.count, same.count) == (7, 2, 2)


def test_anyone_s_network_is_counted_and_a_formula_is_none() -> None:
    images = torch.rand(3, 1, 4, 4)
    for purifier, count in ((wrap(torch.nn.Conv2d(1, 1, 1).eval()), 3), (wrap(lambda one: one, name="formula"), 0)):
        with counted() as evaluations:
            purifier.pin(Noise(0, (1, 2, 3)), (1, 4, 4))(images)
        assert evaluations.count == count
