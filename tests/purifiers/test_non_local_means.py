"""Claims about non-local means."""

import math
from dataclasses import replace
from itertools import product

import pytest
import torch
from skimage.restoration import denoise_nl_means

from purigeom.contract import verify
from purigeom.derivatives import derivatives_told
from purigeom.noise import Noise
from purigeom.procedural import Procedural
from purigeom.purifiers.non_local_means import NonLocalMeans

BATCH = Procedural(count=2).load()
EXACT = replace(BATCH, images=BATCH.images.double())
NOISE = Noise(0, BATCH.image_ids)
NOISY = (EXACT.images + 0.05 * NOISE.normal_like(EXACT.images)).clamp(0, 1)


def scikit_images(image, purifier):
    pixels = image.permute(1, 2, 0).contiguous().numpy()
    settings = {"patch_size": purifier.patch, "patch_distance": purifier.reach, "h": purifier.strength}
    found = denoise_nl_means(pixels, **settings, fast_mode=False, channel_axis=-1)
    return torch.from_numpy(found).reshape(*image.shape[1:], -1).permute(2, 0, 1)


def by_hand(image, strength):
    """Return an image after the loop over pairs of its pixels, with patches of 3 x 3 and a reach as large as it."""
    _, rows, columns = image.shape
    whole = torch.nn.functional.pad(image, (1, 1, 1, 1), mode="reflect")
    near = torch.tensor([math.exp(-2), 1, math.exp(-2)], dtype=torch.float64)  # the Gaussian's deviation is 1/2
    window = torch.outer(near, near) / torch.outer(near, near).sum()
    places, answer = list(product(range(rows), range(columns))), torch.zeros_like(image)
    for row, column in places:
        patch, total = whole[:, row : row + 3, column : column + 3], 0.0
        for down, right in places:
            other = whole[:, down : down + 3, right : right + 3]
            weight = torch.exp(-((patch - other).square().mean(0) * window).sum() / strength**2)
            answer[:, row, column] += weight * image[:, down, right]
            total += weight
        answer[:, row, column] /= total
    return answer


def test_it_keeps_the_contract_and_has_its_own_derivatives():
    purifier = NonLocalMeans(0.2, reach=2)
    verify(purifier, BATCH, NOISE)
    assert "agree with each other" in derivatives_told(purifier, EXACT, NOISE)


@pytest.mark.parametrize("purifier", [NonLocalMeans(0.45, 4, 3), NonLocalMeans(0.5, 20, 5)], ids=repr)
@pytest.mark.parametrize("channels", [1, 3])
def test_it_is_scikit_images(purifier, channels):
    """To 0.004, for its exponential is approximate; other windows, 25 % wider or narrower, are 0.01 to 0.02 off.

    At strengths beyond 0.447 no distance is beyond 5, where it stops counting; a reach beyond the image is all of it.
    """
    images = NOISY[:, :channels, :12]
    expected = torch.stack([scikit_images(image, purifier) for image in images])
    torch.testing.assert_close(purifier.pin(NOISE, tuple(images.shape[1:]))(images), expected, rtol=0, atol=0.004)


def test_it_is_the_loop_over_pairs_of_pixels_at_any_strength():
    images = NOISY[:, :, :5, :6]
    expected = torch.stack([by_hand(image, 0.05) for image in images])
    torch.testing.assert_close(NonLocalMeans(0.05).pin(NOISE, (3, 5, 6))(images), expected)


def test_what_repeats_is_averaged_across_the_image():
    """Stripes under noise: as many pixels of a kind as there are weigh alike, far beyond a blur's reach."""
    stripes = torch.zeros(2, 1, 16, 16, dtype=torch.float64)
    stripes[..., ::2] = 1
    noisy = (0.2 + 0.6 * stripes) + 0.03 * NOISE.normal_like(stripes)
    left = NonLocalMeans(0.2, 15).pin(NOISE, (1, 16, 16))(noisy) - (0.2 + 0.6 * stripes)
    assert left.std() < 0.01


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: NonLocalMeans(0), "NonLocalMeans.strength .* got 0"),
        (lambda: NonLocalMeans(reach=0), "NonLocalMeans.reach .* got 0"),
        (lambda: NonLocalMeans(patch=4), "NonLocalMeans.patch .* got 4"),
        (lambda: NonLocalMeans(patch=1), "NonLocalMeans.patch .* got 1"),
        (lambda: NonLocalMeans(patch=9).pin(NOISE, (1, 4, 8)), "mirrors 4 pixels .* got 4 x 8"),
    ],
)
def test_bad_values_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
