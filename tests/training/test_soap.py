"""Claims about training a classifier together with SOAP's heads, at a size that takes seconds."""

import pytest

from purigeom.images import Digits
from purigeom.networks.self_supervised import SelfSupervised
from purigeom.training.recipe import Recipe
from purigeom.training.soap import held_out, train_digits


def test_every_head_learns_and_loads_again(tmp_path):
    first, last = (train_digits(tmp_path, Recipe(steps, 3e-3, 32)) for steps in (1, 50))
    assert last["held_out_accuracy"] > 0.5
    assert last["held_out_reconstruction"] < 0.6 * first["held_out_reconstruction"]
    assert last["held_out_rotation"] < 0.6 * first["held_out_rotation"]
    assert held_out(SelfSupervised(str(tmp_path)), Digits().load()) == pytest.approx(last)


def test_training_is_a_function_of_its_seed(tmp_path):
    for name, seed in (("one", 0), ("same", 0), ("other", 1)):
        train_digits(tmp_path / name, Recipe(2, 3e-3, seed=seed))
    one, same, other = (SelfSupervised(str(tmp_path / name)).content() for name in ("one", "same", "other"))
    assert one == same != other
