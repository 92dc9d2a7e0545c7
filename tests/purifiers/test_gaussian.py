"""Claims about Gaussian noise and blur."""

import math

import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch.func import jvp

from purigeom.noise import Noise
from purigeom.protocols import declaration
from purigeom.purifiers.gaussian import GaussianBlur, GaussianNoise
from purigeom.purifiers.identity import Identity

NOISE = Noise(seed=0, image_ids=(3, 7))
SHAPE = (3, 12, 10)
IMAGES = Noise(seed=1, image_ids=(3, 7)).uniform_like(torch.empty(2, *SHAPE, dtype=torch.float64)) / 2 + 0.5


def test_identity_returns_the_images():
    assert torch.equal(Identity().pin(NOISE, SHAPE)(IMAGES), IMAGES)


def test_noise_has_the_declared_deviation():
    images = torch.zeros(2, 1, 128, 128, dtype=torch.float64)
    added = GaussianNoise(sigma=0.3).pin(NOISE, (1, 128, 128))(images)
    assert added.std().item() == pytest.approx(0.3, rel=4 / math.sqrt(2 * images.numel()))
    assert added.mean().item() == pytest.approx(0, abs=4 * 0.3 / math.sqrt(images.numel()))


def test_noise_without_a_clamp_moves_with_the_image():
    _, pushed = jvp(GaussianNoise(sigma=0.5).pin(NOISE, SHAPE), (IMAGES,), (IMAGES,))
    assert torch.equal(pushed, IMAGES)


def test_noise_declares_the_range_it_keeps():
    free, clamped = GaussianNoise(sigma=1.0), GaussianNoise(sigma=1.0, clamp=True)
    assert (declaration(free).range, declaration(clamped).range) == ("unbounded", "clamped")
    noised = free.pin(NOISE, SHAPE)(IMAGES)
    assert noised.amin() < 0
    assert noised.amax() > 1
    assert torch.equal(clamped.pin(NOISE, SHAPE)(IMAGES), noised.clamp(0, 1))


@pytest.mark.parametrize("width", [1, 3, 7])
def test_blur_is_scipys(width):
    blurred = GaussianBlur(sigma=1.3, width=width).pin(NOISE, SHAPE)(IMAGES)
    oracle = gaussian_filter(IMAGES.numpy(), 1.3, mode="mirror", radius=width // 2, axes=(2, 3))
    torch.testing.assert_close(blurred, torch.from_numpy(oracle))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_blur_keeps_a_constant_image(dtype):
    images = torch.ones(2, 1, 6, 6, dtype=dtype)
    blurred = GaussianBlur(sigma=2.0, width=5).pin(NOISE, (1, 6, 6))(images)
    torch.testing.assert_close(blurred, images)
    assert blurred.amax() <= 1


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: GaussianNoise(sigma=-0.1), "GaussianNoise.sigma"),
        (lambda: GaussianNoise(sigma=math.nan), "GaussianNoise.sigma"),
        (lambda: GaussianBlur(sigma=0), "GaussianBlur.sigma"),
        (lambda: GaussianBlur(sigma=1, width=4), "GaussianBlur.width .* got 4"),
        (lambda: GaussianBlur(sigma=1, width=-1), "GaussianBlur.width"),
    ],
)
def test_bad_fields_are_named(make, field):
    with pytest.raises(ValueError, match=field):
        make()
