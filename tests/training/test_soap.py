"""Claims about training a classifier together with SOAP's heads, at a size that takes seconds."""

import json
from dataclasses import replace

import pytest

from purigeom.images import Digits
from purigeom.networks.files import SHIPPED
from purigeom.networks.self_supervised import LOSSES, SelfSupervised
from purigeom.noise import Noise
from purigeom.purifiers.coupled.soap import SOAP
from purigeom.training.recipe import Recipe
from purigeom.training.soap import SOAP_PLANS, held_out, train_digits, train_soap
from tests.training.made import patterned


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


def test_the_plan_for_cifar_trains_loads_and_purifies_at_its_full_size(tmp_path) -> None:
    plan, test = replace(SOAP_PLANS["cifar10"], recipe=Recipe(2, 1e-3, 2)), patterned(2, first=100)
    told = train_soap(tmp_path, patterned(4), test, plan)
    network = SelfSupervised(str(tmp_path))
    assert told.keys() == {"held_out_accuracy", *(f"held_out_{name}" for name in LOSSES)}
    assert held_out(network, test) == told
    purified = SOAP(network, radii=1, steps=1).pin(Noise(0, test.image_ids), (3, 32, 32))(test.images)
    assert purified.shape == test.images.shape
    with pytest.raises(ValueError, match=r"takes images of shape \(3, 32, 32\); got \(1, 8, 8\)"):
        network.check((1, 8, 8))


def test_codes_hold_half_as_many_numbers_as_images() -> None:
    for plan in SOAP_PLANS.values():
        size, channels = plan.settings["size"], plan.settings["channels"]
        assert 2 * plan.settings["code"] * (size // 2) ** 2 == channels * size**2


def test_what_is_shipped_is_what_its_card_says() -> None:
    card = (SHIPPED / "MODEL_CARD.md").read_text()
    (row,) = (line for line in card.splitlines() if line.startswith("| `digits-soap` |"))
    told = held_out(SelfSupervised("digits-soap"), Digits("test").load())
    assert f"accuracy {100 * told['held_out_accuracy']:.1f} %" in row
    assert f"losses of reconstruction {told['held_out_reconstruction']:.4f}, " in row
    assert f"rotation {told['held_out_rotation']:.3f}, consistency {told['held_out_consistency']:.2f} " in row
    assert json.loads((SHIPPED / "digits-soap" / "config.json").read_text()) == SOAP_PLANS["digits"].settings
    assert f"{SOAP_PLANS['digits'].recipe.steps:,} steps of {SOAP_PLANS['digits'].recipe.batch}, " in row
