"""EDM's sampler against the published schedule and algorithm, and against a flow that is known exactly."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from purigeom.attacks.deviating import Deviating
from purigeom.contract import verify
from purigeom.cost import counted
from purigeom.derivatives import derivatives_told
from purigeom.images import Digits
from purigeom.networks.unet import UNet
from purigeom.noise import Noise
from purigeom.protocols import Batch
from purigeom.purifiers.diffusion.ddim import OneShot
from purigeom.purifiers.diffusion.edm_sampling import EDMSampling
from purigeom.purifiers.diffusion.levels import denoiser
from tests.priors import GaussianPrior

DIGITS = Digits()[:2].load()
NOISE = Noise(0, DIGITS.image_ids)
IMAGES = DIGITS.images.double()
SHAPE = (1, 8, 8)
NETWORK = UNet("digits-ddpm")
PRIOR = GaussianPrior()


def karras(purifier, images):
    """Algorithm 2 of Karras et al. (2022) for a Gaussian prior, in noisy images that are never scaled."""
    count, rho = purifier.steps, purifier.curvature
    highest = PRIOR.deviation(purifier.depth - 1)
    lowest = purifier.lowest or PRIOR.deviation(0)
    ramp = np.arange(count) / (count - 1)
    sigmas = [*(highest ** (1 / rho) + ramp * (lowest ** (1 / rho) - highest ** (1 / rho))) ** rho, 0.0]

    def slope(noisy, sigma):
        return (noisy - PRIOR.variance / (PRIOR.variance + sigma**2) * noisy) / sigma

    noisy = 2 * images - 1 + highest * NOISE.child("forward").normal_like(images)
    for place, (sigma, lower) in enumerate(pairwise(sigmas)):
        within = purifier.churn_lowest <= sigma <= purifier.churn_highest
        gamma = min(purifier.churn / count, math.sqrt(2) - 1) if within else 0.0
        higher = sigma + gamma * sigma
        fresh = purifier.churn_noise * NOISE.child("churn", place).normal_like(images)
        noisy = noisy + math.sqrt(higher**2 - sigma**2) * fresh
        first = slope(noisy, higher)
        euler = noisy + (lower - higher) * first
        noisy = euler if lower == 0 else noisy + (lower - higher) * (first + slope(euler, lower)) / 2
    return (noisy + 1) / 2


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"curvature": 1.0, "lowest": 0.05},
        {"churn": 1.0},
        {"churn": 40.0, "churn_lowest": 0.05, "churn_highest": 0.3, "churn_noise": 1.01},
    ],
)
def test_it_is_the_published_algorithm(fields):
    purifier = EDMSampling(PRIOR, depth=200, steps=6, **fields)
    torch.testing.assert_close(purifier.pin(NOISE, SHAPE)(IMAGES), karras(purifier, IMAGES))


def test_its_error_falls_with_the_square_of_its_steps():
    """The flow of a Gaussian prior scales noisy images by the ratio of deviations."""
    high, low = (PRIOR.variance + PRIOR.deviation(index) ** 2 for index in (199, 0))
    noisy = 2 * IMAGES - 1 + PRIOR.deviation(199) * NOISE.child("forward").normal_like(IMAGES)
    # the last step guesses, from the lowest deviation
    shrink = PRIOR.variance / low
    expected = (shrink * math.sqrt(low / high) * noisy + 1) / 2
    errors = [
        (EDMSampling(PRIOR, depth=200, steps=steps).pin(NOISE, SHAPE)(IMAGES) - expected).abs().max().item()
        for steps in (11, 21, 41)  # ten, twenty and forty steps of Heun's
    ]
    ratios = [one / other for one, other in pairwise(errors)]
    assert ratios == pytest.approx([4, 4], rel=0.15)


def test_churn_keeps_a_gaussian_prior():
    noise = Noise(0, tuple(range(400)))
    images = (PRIOR.variance**0.5 * noise.child("images").normal_like(torch.zeros(400, 1, 8, 8)).double() + 1) / 2
    purified = 2 * EDMSampling(PRIOR, depth=200, steps=40, churn=10.0).pin(noise, SHAPE)(images) - 1
    assert abs(purified.var().item() / PRIOR.variance - 1) < 0.05


def test_one_step_is_one_shot():
    once = EDMSampling(NETWORK, depth=100, steps=1).pin(NOISE, SHAPE)(IMAGES)
    torch.testing.assert_close(once, OneShot(NETWORK, depth=100, clip=False).pin(NOISE, SHAPE)(IMAGES))


def test_all_steps_but_the_last_ask_the_network_twice():
    pinned = EDMSampling(NETWORK, depth=100, steps=4).pin(NOISE, SHAPE)
    with counted() as evaluations:
        pinned(IMAGES)
    assert evaluations.count == len(IMAGES) * 7


def test_it_says_the_levels_of_its_states():
    rows = Deviating(EDMSampling(NETWORK, 100, 4), NOISE.child("steps"), 1.0, "equal").pin(NOISE, SHAPE)(IMAGES)
    assert (rows[:, -1] > 0).all()


@pytest.mark.parametrize("churn", [0.0, 2.0])
def test_it_keeps_the_laws_and_its_derivatives_are_its_own(churn):
    purifier, batch = EDMSampling(NETWORK, 100, 3, churn=churn), Batch(IMAGES, None, DIGITS.image_ids)
    verify(purifier, batch, NOISE)
    assert "agree" in derivatives_told(purifier, batch, NOISE)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"depth": 100, "steps": 0}, "EDMSampling.steps must be a whole number between 1 and the depth 100; got 0"),
        ({"depth": 100, "curvature": 0.0}, "EDMSampling.curvature must be positive"),
        ({"depth": 100, "churn": -1.0}, "EDMSampling.churn must be finite and not negative"),
        ({"depth": 100, "lowest": 0.002}, "EDMSampling.lowest must lie between 0.01"),
        ({"depth": 100, "lowest": 0.0}, "EDMSampling.lowest must lie between 0.01"),
        ({"depth": 100, "lowest": 5.0}, "EDMSampling.lowest must lie below the deviation 0.338.* at depth 100"),
        ({"depth": 1000, "churn": 10.0}, "EDMSampling's deviation after churn must lie between 0.01"),
        ({"depth": 1001}, "must stay within the 1000 levels"),
    ],
)
def test_what_does_not_fit_is_named(fields, message):
    with pytest.raises(ValueError, match=message):
        EDMSampling(PRIOR, **fields).pin(NOISE, SHAPE)


def test_deviations_fall_from_the_depth_s_to_zero():
    falling = EDMSampling(PRIOR, depth=300)._deviations(denoiser(PRIOR, SHAPE))
    assert len(falling) == 19
    assert falling == sorted(falling, reverse=True)
    assert falling[0] == pytest.approx(PRIOR.deviation(299))
    assert falling[-2:] == [pytest.approx(PRIOR.deviation(0)), 0.0]
