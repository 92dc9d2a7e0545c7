"""GDMP against a plain loop over betas, against the numbers of its published code, and without its guide."""

import math

import pytest
import torch

from purigeom.contract import verify
from purigeom.derivatives import derivatives_told
from purigeom.images import Digits
from purigeom.networks.unet import UNet
from purigeom.noise import Noise
from purigeom.protocols import Batch
from purigeom.purifiers.diffusion.ddpm import DDPM
from purigeom.purifiers.diffusion.gdmp import GDMP
from purigeom.purifiers.diffusion.similarity import similarity
from tests.priors import GaussianPrior

DIGITS = Digits()[:2].load()
NOISE = Noise(0, DIGITS.image_ids)
IMAGES = DIGITS.images.double()
SHAPE = (1, 8, 8)
NETWORK = UNet("digits-ddpm")
PRIOR = GaussianPrior()
SMALL = {"rounds": 1, "depth": 36, "steps": 3, "scale": 1250.0}


def plainly(purifier, images):
    """Purify by a loop over betas, one image's guide and Ho's sampler written out."""
    betas = torch.linspace(1e-4, 2e-2, 1000, dtype=torch.float64)
    bars = torch.cumprod(1 - betas, 0)
    clean = found = 2 * images - 1
    for number in range(purifier.rounds):
        own, start = NOISE.child("round", number), bars[purifier.depth - 1 + purifier.level_offset]
        found = start.sqrt() * found + (1 - start).sqrt() * own.child("forward").normal_like(images)
        for k in reversed(range(purifier.depth)):
            bar, before = bars[k], bars[k - 1] if k else torch.ones(())
            noise = purifier.network.module(images.device, images.dtype)(found, k).sample
            guess = ((found - (1 - bar).sqrt() * noise) / bar.sqrt()).clamp(-1, 1)
            mean = before.sqrt() * betas[k] / (1 - bar) * guess
            mean = mean + (1 - betas[k]).sqrt() * (1 - before) / (1 - bar) * found
            fresh = own.child("reference", k).normal_like(images)
            target = bar.sqrt() * clean + (1 - bar).sqrt() * fresh
            m = purifier.perturbation * (2 / 255) / 3 / purifier.scale
            leaf = found.clone().requires_grad_()
            likeness = -(leaf - target).square().flatten(1).mean(1).sum()
            if purifier.guide == "ssim":
                likeness = similarity(leaf, target).sum()
            (gradient,) = torch.autograd.grad(likeness, leaf)
            found = mean + betas[k] * (1 - bar).sqrt() / (m * bar.sqrt()) * gradient
            if k:
                found = found + betas[k].sqrt() * own.child("reverse", k).normal_like(images)
    return ((found + 1) / 2).clamp(0, 1)


@pytest.mark.parametrize(("guide", "scale"), [("mse", 1250.0), ("ssim", 100.0)])
@pytest.mark.parametrize("level_offset", [0, 1])
def test_it_is_the_plain_loop(guide, scale, level_offset):
    purifier = GDMP(PRIOR, depth=6, rounds=2, guide=guide, scale=scale, level_offset=level_offset)
    torch.testing.assert_close(purifier.pin(NOISE, SHAPE)(IMAGES), plainly(purifier, IMAGES))


def test_without_a_pull_one_round_is_ancestral_sampling():
    guided = GDMP(NETWORK, depth=36, rounds=1, steps=1, scale=0).pin(NOISE, SHAPE)(IMAGES)
    free = DDPM(NETWORK, depth=36, steps=1, variance="large").pin(NOISE.child("round", 0), SHAPE)(IMAGES)
    torch.testing.assert_close(guided, free)
    pulled = GDMP(NETWORK, depth=36, rounds=1, steps=1, scale=1250.0).pin(NOISE, SHAPE)(IMAGES)
    assert (pulled - free).abs().max() > 0.01


@pytest.mark.parametrize(("level", "pull"), [(35, 0.190), (20, 0.074), (10, 0.026), (1, 0.0033)])
@pytest.mark.parametrize("batch", [1, 100])
def test_the_pull_of_every_step_is_the_published_one(level, pull, batch):
    """Of a 3 x 32 x 32 image alone; the shipped batch of a hundred leaves a hundredth of it."""
    shape, found = (3, 32, 32), []
    state = torch.zeros(2, 6, 32, 32, dtype=torch.float64)
    for scale in (60000.0, 0.0):
        steps = GDMP(PRIOR, rounds=1, scale=scale, reference_batch=batch, clip=False).pin(NOISE, shape).steps
        step = steps[2 + 35 - level]
        found.append((step(state + 1) - step(state))[0, 0, 0, 0].item())
    # the reference moved as far as the state, and is scaled by the root of its signal
    signal = math.sqrt(PRIOR.alpha_bars()[level])
    assert (found[0] - found[1]) / (signal - 1) == pytest.approx(pull / batch, rel=0.02)


def test_the_published_mismatch_noises_one_level_deeper():
    matched, published = (GDMP(PRIOR, level_offset=offset).pin(NOISE, SHAPE) for offset in (0, 1))
    states = [chain.steps[1](chain.steps[0](IMAGES))[:, :1] for chain in (matched, published)]
    drawn = NOISE.child("round", 0, "forward").normal_like(IMAGES)
    for state, signal in zip(states, PRIOR.alpha_bars()[[35, 36]], strict=True):
        torch.testing.assert_close(state, signal.sqrt() * (2 * IMAGES - 1) + (1 - signal).sqrt() * drawn)
    assert len(matched.steps) == len(published.steps)


def test_a_clean_reference_is_another_guide():
    noised, clean = (GDMP(NETWORK, **SMALL, reference=kind).pin(NOISE, SHAPE)(IMAGES) for kind in ("noised", "clean"))
    assert (noised - clean).abs().max() > 0.01


@pytest.mark.parametrize("fields", [{}, {"guide": "ssim", "scale": 50.0}])
def test_it_keeps_the_laws_and_its_derivatives_are_its_own(fields):
    purifier = GDMP(NETWORK, **{**SMALL, **fields})
    batch = Batch(IMAGES, None, DIGITS.image_ids)
    verify(purifier, batch, NOISE)
    assert "agree" in derivatives_told(purifier, batch, NOISE)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"depth": 0}, "GDMP.depth must be a whole time index"),
        ({"rounds": 0}, "GDMP.rounds must be a whole number of at least 1; got 0"),
        ({"scale": -1.0}, "GDMP.scale must be finite and not negative; got -1.0"),
        ({"perturbation": 0.0}, "GDMP.perturbation divides the pull"),
        ({"guide": "MSE"}, "GDMP.guide must be one of"),
        ({"reference": "none"}, "GDMP.reference must be one of"),
        ({"variance": "huge"}, "GDMP.variance must be one of"),
        ({"reference_batch": 0.5}, "GDMP.reference_batch must be a whole number"),
    ],
)
def test_wrong_fields_are_named(fields, message):
    with pytest.raises(ValueError, match=message):
        GDMP(NETWORK, **fields)
