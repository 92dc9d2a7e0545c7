"""DDA against a plain loop with autograd, and against the norm over a whole batch that is published."""

import pytest
import torch
from torch.nn.functional import interpolate

from purigeom.contract import verify
from purigeom.derivatives import derivatives_told
from purigeom.images import Digits
from purigeom.networks.unet import UNet
from purigeom.noise import Noise
from purigeom.protocols import Batch
from purigeom.purifiers.diffusion.dda import DDA
from purigeom.purifiers.diffusion.ddpm import DDPM
from purigeom.purifiers.diffusion.process import respaced

DIGITS = Digits()[:2].load()
NOISE = Noise(0, DIGITS.image_ids)
IMAGES = DIGITS.images.double()
SHAPE = (1, 8, 8)
NETWORK = UNet("digits-ddpm")


def smoothed(images, factor):
    smaller = interpolate(images, scale_factor=1 / factor, mode="bicubic", antialias=True)
    return interpolate(smaller, scale_factor=factor, mode="bicubic", antialias=True)


def plainly(purifier, images, batch):
    """Purify images of which every one fills a batch with copies of itself: the published norm is over all of it."""
    bars, clean = NETWORK.alpha_bars(), 2 * images - 1
    start = bars[purifier.depth - 1]
    found = start.sqrt() * clean + (1 - start).sqrt() * NOISE.child("forward").normal_like(images)
    for level, lower in respaced(purifier.depth, purifier.steps):
        bar, before = bars[level], torch.ones((), dtype=torch.float64) if lower is None else bars[lower]
        leaf = found.clone().requires_grad_()
        noise = NETWORK.module(images.device, images.dtype)(leaf, level).sample
        guess = ((leaf - (1 - bar).sqrt() * noise) / bar.sqrt()).clamp(-1, 1)
        departure = smoothed(clean - guess, purifier.factor).square().flatten(1).sum(1)
        # the slope of one copy's share in the norm of all copies
        (gradient,) = torch.autograd.grad((departure / (batch * departure.detach()).sqrt()).sum() / 2, leaf)
        beta = 1 - bar / before
        mean = before.sqrt() * beta / (1 - bar) * guess + (bar / before).sqrt() * (1 - before) / (1 - bar) * found
        found = mean.detach() - purifier.scale * gradient
        if lower is not None:
            found = found + (beta * (1 - before) / (1 - bar)).sqrt() * NOISE.child("reverse", level).normal_like(images)
    return ((found + 1) / 2).clamp(0, 1)


@pytest.mark.parametrize(("batch", "factor"), [(1, 4), (4, 2)])
def test_it_is_the_plain_loop_in_a_batch_of_its_copies(batch, factor):
    purifier = DDA(NETWORK, depth=150, steps=3, scale=0.5, factor=factor, reference_batch=batch)
    expected = plainly(purifier, IMAGES, batch)
    torch.testing.assert_close(purifier.pin(NOISE, SHAPE)(IMAGES), expected.detach())


def test_without_guidance_it_is_ancestral_sampling():
    free = DDPM(NETWORK, depth=150, steps=3).pin(NOISE, SHAPE)(IMAGES)
    torch.testing.assert_close(DDA(NETWORK, depth=150, steps=3, scale=0.0).pin(NOISE, SHAPE)(IMAGES), free)


def test_guidance_keeps_the_low_frequencies():
    def lost(scale):
        purified = DDA(NETWORK, depth=300, steps=6, scale=scale, factor=2).pin(NOISE, SHAPE)(IMAGES)
        return smoothed(purified - IMAGES, 2).norm()

    assert lost(1.0) < 0.7 * lost(0.0)


def test_it_keeps_the_laws_and_its_unrolled_derivatives_are_its_own():
    purifier, batch = DDA(NETWORK, depth=100, steps=2, scale=0.5), Batch(IMAGES, None, DIGITS.image_ids)
    verify(purifier, batch, NOISE)
    assert "agree" in derivatives_told(purifier, batch, NOISE)
    assert purifier.declaration.differentiability == "unrolled"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"factor": 3}, "DDA.factor must divide the rows and columns of images; got 3"),
        ({"scale": -6.0}, "DDA.scale must be finite and not negative; got -6.0"),
        ({"variance": "learned"}, "DDA.variance must be one of"),
        ({"depth": 2000}, "must stay within the 1000 levels"),
        ({"reference_batch": 0}, "DDA.reference_batch must be a whole number"),
    ],
)
def test_what_does_not_fit_is_named(fields, message):
    with pytest.raises(ValueError, match=message):
        DDA(NETWORK, **fields).pin(NOISE, SHAPE)
