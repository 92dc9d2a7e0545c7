"""LoRID's rounds are repeated ancestral sampling."""

import pytest
import torch

from purigeom.attacks.deviating import Deviating
from purigeom.contract import verify
from purigeom.derivatives import derivatives_told
from purigeom.images import Digits
from purigeom.networks.unet import UNet
from purigeom.noise import Noise
from purigeom.protocols import Batch
from purigeom.purifiers.composed import Repeat
from purigeom.purifiers.diffusion.ddpm import DDPM
from purigeom.purifiers.diffusion.lorid import LoRID

DIGITS = Digits()[:2].load()
NOISE = Noise(0, DIGITS.image_ids)
IMAGES = DIGITS.images.double()
SHAPE = (1, 8, 8)
NETWORK = UNet("digits-ddpm")


def test_its_rounds_are_samplers_one_after_another_with_fresh_noise():
    found = LoRID(NETWORK, depth=20, rounds=3, steps=2).pin(NOISE, SHAPE)(IMAGES)
    expected = IMAGES
    for place in range(3):
        expected = DDPM(NETWORK, depth=20, steps=2).pin(NOISE.child("part", place), SHAPE)(expected)
    assert torch.equal(found, expected)
    assert torch.equal(found, Repeat(DDPM(NETWORK, 20, 2), 3).pin(NOISE, SHAPE)(IMAGES))


def test_every_choice_of_the_sampler_reaches_it():
    base = {"depth": 20, "rounds": 2, "steps": 2}
    choices = ({}, {"clip": False}, {"variance": "large"}, {"steps": 3}, {"depth": 21}, {"rounds": 3})
    answers = [LoRID(NETWORK, **{**base, **one}).pin(NOISE, SHAPE)(IMAGES) for one in choices]
    apart = [(one - other).abs().max() for place, one in enumerate(answers) for other in answers[:place]]
    assert min(apart) > 1e-5


def test_it_keeps_the_laws_and_its_derivatives_are_its_own():
    purifier, batch = LoRID(NETWORK, depth=20, rounds=2, steps=1), Batch(IMAGES, None, DIGITS.image_ids)
    verify(purifier, batch, NOISE)
    assert "agree" in derivatives_told(purifier, batch, NOISE)


def test_it_says_the_levels_of_its_states():
    rows = Deviating(LoRID(NETWORK, 20, 2, steps=2), NOISE.child("steps"), 1.0, "equal").pin(NOISE, SHAPE)(IMAGES)
    assert (rows[:, -1] > 0).all()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"depth": 20, "rounds": 0}, "LoRID.rounds must be a whole number of at least 1; got 0"),
        ({"depth": 0, "rounds": 2}, "depth must be a whole time index of at least 1; got 0"),
        ({"depth": 5, "rounds": 2, "steps": 6}, "steps must be a whole number between 1 and the depth 5; got 6"),
        ({"depth": 5, "rounds": 2, "variance": "none"}, "variance must be one of"),
    ],
)
def test_wrong_fields_are_named(fields, message):
    with pytest.raises(ValueError, match=message):
        LoRID(NETWORK, **fields)
