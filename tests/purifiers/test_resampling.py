"""Claims about random resizing with padding, and about random crops."""

import math
from dataclasses import replace

import pytest
import torch
from torch.nn.functional import interpolate, pad

from purigeom.contract import verify
from purigeom.derivatives import derivatives_told
from purigeom.noise import Noise
from purigeom.procedural import Procedural
from purigeom.purifiers.cropping import RandomCrop
from purigeom.purifiers.padding import RandomPadding

BATCH = Procedural(count=3).load()
EXACT = replace(BATCH, images=BATCH.images.double())
NOISE = Noise(0, BATCH.image_ids)
METHODS = ("nearest", "bilinear")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", [RandomPadding, RandomCrop])
def test_they_keep_the_contract_and_have_their_own_derivatives(kind, method):
    purifier = kind(0.7, method)
    verify(purifier, BATCH, NOISE)
    assert "agree with each other" in derivatives_told(purifier, EXACT, NOISE)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("columns", [16, 12])
def test_padding_is_torchs_interpolation_on_black(method, columns):
    images, heights = EXACT.images[..., :columns], set()
    for seed in range(8):
        noise = Noise(seed, BATCH.image_ids)
        found = RandomPadding(0.6, method).pin(noise, tuple(images.shape[1:]))(images)
        words = noise.child("size and place").words_like(torch.zeros(3, 3)).tolist()
        for image, answer, (size, down, right) in zip(images, found, words, strict=True):
            height = 10 + size % 7  # 0.6 of 16 pixels, rounded up, to all of them
            width = round(height * columns / 16)
            top, left = down % (17 - height), right % (columns + 1 - width)
            small = interpolate(image[None], (height, width), mode=method)[0]
            expected = pad(small, (left, columns - width - left, top, 16 - height - top))
            torch.testing.assert_close(answer, expected)
            heights.add(height)
    assert min(heights) == 10
    assert max(heights) == 16


@pytest.mark.parametrize("method", METHODS)
def test_a_crop_is_torchs_interpolation_of_it(method):
    images = EXACT.images[..., :12]
    found = RandomCrop(0.6, method).pin(NOISE, (3, 16, 12))(images)
    words = NOISE.child("place").words_like(torch.zeros(3, 2)).tolist()
    for image, answer, (down, right) in zip(images, found, words, strict=True):
        top, left = down % 7, right % 5  # of 16 x 12 pixels, 10 x 8 are kept
        crop = image[None, :, top : top + 10, left : left + 8]
        torch.testing.assert_close(answer, interpolate(crop, (16, 12), mode=method)[0])


def test_one_draw_is_not_another():
    for purifier in (RandomPadding(0.6), RandomCrop(0.6)):
        one, other = (purifier.pin(Noise(seed, BATCH.image_ids), (3, 16, 16))(EXACT.images) for seed in (0, 1))
        assert not torch.equal(one, other)


@pytest.mark.parametrize("share", [0, 1, -0.5, math.nan])
def test_bad_shares_are_named(share):
    with pytest.raises(ValueError, match=f"RandomPadding.smallest .* got {share}"):
        RandomPadding(share)
    with pytest.raises(ValueError, match=f"RandomCrop.share .* got {share}"):
        RandomCrop(share)


@pytest.mark.parametrize("kind", [RandomPadding, RandomCrop])
def test_unknown_methods_are_named(kind):
    with pytest.raises(ValueError, match=f"{kind.__name__}.method must be one of .* got 'bicubic'"):
        kind(0.7, "bicubic")
