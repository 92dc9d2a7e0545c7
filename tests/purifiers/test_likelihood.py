"""Likelihood maximisation: ScoreOpt-O where they are the same, and a plain loop where they are not."""

import pytest
import torch

from purigeom.contract import verify
from purigeom.derivatives import derivatives_told
from purigeom.images import Digits
from purigeom.networks.unet import UNet
from purigeom.noise import Noise
from purigeom.protocols import Batch
from purigeom.purifiers.diffusion.likelihood import LikelihoodMaximisation
from purigeom.purifiers.diffusion.score_opt import ScoreOptO
from tests.priors import GaussianPrior

DIGITS = Digits()[:2].load()
NOISE = Noise(0, DIGITS.image_ids)
IMAGES = DIGITS.images.double()
SHAPE = (1, 8, 8)
PRIOR = GaussianPrior()


def test_it_is_score_opt_o_with_deviations_between_two_ends():
    expected = ScoreOptO(PRIOR, sigma=0.45, spread=0.15, iterations=4, rate=0.05).pin(NOISE, SHAPE)(IMAGES)
    purifier = LikelihoodMaximisation(PRIOR, 0.3, 0.6, iterations=4, rate=0.05)
    torch.testing.assert_close(purifier.pin(NOISE, SHAPE)(IMAGES), expected)


def compounded_plainly(image, own):
    """Five steps with moments that are corrected and kept so, for one image of a prior whose denoiser is known."""
    found = 2 * image - 1
    first = second = torch.zeros_like(image)
    for count in range(1, 6):
        noise = own.child("iteration", count)
        deviation = 0.5 + 0.1 * noise.child("deviation").uniform_like(torch.empty(1, 1)).item()
        shrink = PRIOR.variance / (PRIOR.variance + deviation**2)
        departure = shrink * (found + deviation * noise.child("noise").normal_like(image)) - found
        gradient = 2 * (shrink - 1) * departure / image.numel()
        first = (0.9 * first + 0.1 * gradient) / (1 - 0.9**count)
        second = (0.999 * second + 0.001 * gradient**2) / (1 - 0.999**count)
        found = found - 0.1 * first / (second.sqrt() + 1e-8)
    return ((found + 1) / 2).clamp(0, 1)


def test_the_published_moments_are_corrected_over_and_over():
    alone = [compounded_plainly(IMAGES[[place]], NOISE[[place]]) for place in range(2)]
    published = LikelihoodMaximisation(PRIOR, compounded=True).pin(NOISE, SHAPE)(IMAGES)
    torch.testing.assert_close(published, torch.cat(alone))
    once = LikelihoodMaximisation(PRIOR, iterations=1)
    again = LikelihoodMaximisation(PRIOR, iterations=1, compounded=True)
    torch.testing.assert_close(once.pin(NOISE, SHAPE)(IMAGES), again.pin(NOISE, SHAPE)(IMAGES))
    assert (published - LikelihoodMaximisation(PRIOR).pin(NOISE, SHAPE)(IMAGES)).abs().max() > 0.01


def test_it_keeps_the_laws_and_its_unrolled_derivatives_are_its_own():
    purifier = LikelihoodMaximisation(UNet("digits-ddpm"), iterations=1, compounded=True)
    batch = Batch(IMAGES, None, DIGITS.image_ids)
    verify(purifier, batch, NOISE)
    assert "agree" in derivatives_told(purifier, batch, NOISE)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"lowest": 0.7}, "LikelihoodMaximisation.highest must not be below lowest, 0.7; got 0.6"),
        ({"iterations": 0}, "LikelihoodMaximisation.iterations must be a whole number"),
        ({"lowest": 0.001}, "LikelihoodMaximisation.lowest must lie between 0.01"),
        ({"highest": 500.0}, "LikelihoodMaximisation.highest must lie between 0.01"),
    ],
)
def test_wrong_fields_are_named(fields, message):
    with pytest.raises(ValueError, match=message):
        LikelihoodMaximisation(PRIOR, **fields).pin(NOISE, SHAPE)
