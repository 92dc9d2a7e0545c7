"""Random sampling: noise that is all fresh, and a guide in closed form."""

import pytest
import torch

from purigeom.attacks.deviating import Deviating
from purigeom.contract import verify
from purigeom.derivatives import derivatives_told
from purigeom.images import Digits
from purigeom.networks.unet import UNet
from purigeom.noise import Noise
from purigeom.protocols import Batch
from purigeom.purifiers.diffusion.ddim import OneShot
from purigeom.purifiers.diffusion.process import respaced
from purigeom.purifiers.diffusion.random_sampling import RandomSampling
from tests.priors import GaussianPrior

DIGITS = Digits()[:2].load()
NOISE = Noise(0, DIGITS.image_ids)
IMAGES = DIGITS.images.double()
SHAPE = (1, 8, 8)
NETWORK = UNet("digits-ddpm")
PRIOR = GaussianPrior()


def guessed_over_and_over(images, depth, steps, deviation):
    """The posterior mean of a Gaussian prior, noised with as much as the next level has, or its posterior has left."""
    bars = PRIOR.alpha_bars()
    state = bars[depth - 1].sqrt() * (2 * images - 1)
    state = state + (1 - bars[depth - 1]).sqrt() * NOISE.child("forward").normal_like(images)
    for level, lower in respaced(depth, steps):
        bar = bars[level]
        guess = bar.sqrt() * PRIOR.variance / (bar * PRIOR.variance + 1 - bar) * state
        if lower is None:
            return (guess + 1) / 2
        wide = 1 - bars[lower]
        variance = wide if deviation == "marginal" else wide * (1 - bar / bars[lower]) / (1 - bar)
        state = bars[lower].sqrt() * guess + variance.sqrt() * NOISE.child("reverse", level).normal_like(images)
    raise AssertionError


@pytest.mark.parametrize("deviation", ["marginal", "posterior"])
def test_every_state_is_a_guess_and_fresh_noise(deviation):
    purifier = RandomSampling(PRIOR, depth=400, steps=5, deviation=deviation)
    expected = guessed_over_and_over(IMAGES, 400, 5, deviation)
    torch.testing.assert_close(purifier.pin(NOISE, SHAPE)(IMAGES), expected)


def test_the_published_code_s_noise_is_less_than_the_paper_s():
    paper, published = (
        RandomSampling(NETWORK, depth=400, deviation=one).pin(NOISE, SHAPE)(IMAGES) for one in ("marginal", "posterior")
    )
    assert (paper - published).abs().max() > 0.05


def test_one_step_is_one_shot():
    once = RandomSampling(NETWORK, depth=100, steps=1).pin(NOISE, SHAPE)(IMAGES)
    torch.testing.assert_close(once, OneShot(NETWORK, depth=100, clip=False).pin(NOISE, SHAPE)(IMAGES))


def test_a_pull_of_just_the_distance_returns_the_input():
    """2 scale sqrt(signal) / (pixels batch) is the share of its distance to the input that the guess is pulled."""
    scale = 64 * 8 / 2 / PRIOR.alpha_bars()[99].sqrt().item()
    whole = RandomSampling(PRIOR, depth=100, steps=1, scale=scale, reference_batch=8).pin(NOISE, SHAPE)(IMAGES)
    torch.testing.assert_close(whole, IMAGES)
    half = RandomSampling(PRIOR, depth=100, steps=1, scale=scale, reference_batch=16).pin(NOISE, SHAPE)(IMAGES)
    free = RandomSampling(PRIOR, depth=100, steps=1).pin(NOISE, SHAPE)(IMAGES)
    torch.testing.assert_close(half, (IMAGES + free) / 2)


def test_unguided_it_says_the_levels_of_its_states():
    """What DiffAttack compares with the forward process."""
    deviating = Deviating(RandomSampling(NETWORK, depth=200), NOISE.child("steps"), 1.0, "equal")
    rows = deviating.pin(NOISE, SHAPE)(IMAGES)
    assert rows.shape == (2, 65)
    assert (rows[:, -1] > 0).all()


@pytest.mark.parametrize("scale", [0.0, 20.0])
def test_it_keeps_the_laws_and_its_derivatives_are_its_own(scale):
    purifier, batch = RandomSampling(NETWORK, depth=200, steps=2, scale=scale), Batch(IMAGES, None, DIGITS.image_ids)
    verify(purifier, batch, NOISE)
    assert "agree" in derivatives_told(purifier, batch, NOISE)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"deviation": "none"}, "RandomSampling.deviation must be one of"),
        ({"scale": -1.0}, "RandomSampling.scale must be finite and not negative; got -1.0"),
        ({"steps": 0}, "RandomSampling.steps must be a whole number between 1 and the depth 1000; got 0"),
        ({"reference_batch": 0}, "RandomSampling.reference_batch must be a whole number"),
    ],
)
def test_wrong_fields_are_named(fields, message):
    with pytest.raises(ValueError, match=message):
        RandomSampling(PRIOR, **fields)
