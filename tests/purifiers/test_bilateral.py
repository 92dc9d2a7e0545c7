"""Claims about the bilateral filter."""

import math
from dataclasses import replace

import pytest
import torch

from purigeom.contract import verify
from purigeom.derivatives import derivatives_told
from purigeom.noise import Noise
from purigeom.procedural import Procedural
from purigeom.purifiers.bilateral import BilateralFilter
from purigeom.purifiers.gaussian import GaussianBlur

BATCH = Procedural(count=2).load()
EXACT = replace(BATCH, images=BATCH.images.double())
NOISE = Noise(0, BATCH.image_ids)


def mirrored(place, size):
    return -place if place < 0 else min(place, 2 * size - 2 - place)


def by_hand(image, purifier):
    _, rows, columns = image.shape
    reach, answer = purifier.width // 2, torch.zeros_like(image)
    for row in range(rows):
        for column in range(columns):
            total = 0.0
            for down in range(-reach, reach + 1):
                for right in range(-reach, reach + 1):
                    other = image[:, mirrored(row + down, rows), mirrored(column + right, columns)]
                    far = (down**2 + right**2) / purifier.sigma_space**2
                    unlike = float((other - image[:, row, column]).square().sum()) / purifier.sigma_colour**2
                    weight = math.exp(-(far + unlike) / 2)
                    answer[:, row, column] += weight * other
                    total += weight
            answer[:, row, column] /= total
    return answer


def test_it_keeps_the_contract_and_has_its_own_derivatives():
    purifier = BilateralFilter(0.2)
    verify(purifier, BATCH, NOISE)
    assert "agree with each other" in derivatives_told(purifier, EXACT, NOISE)


@pytest.mark.parametrize("purifier", [BilateralFilter(0.2, 1.0, 3), BilateralFilter(0.5, 2.0, 5)], ids=repr)
def test_it_is_the_loop_over_pixels(purifier):
    images = EXACT.images[:, :, 3:10, 2:11]
    expected = torch.stack([by_hand(image, purifier) for image in images])
    torch.testing.assert_close(purifier.pin(NOISE, (3, 7, 9))(images), expected)


def test_where_all_colours_are_alike_to_it_it_is_a_blur():
    blurred, filtered = (
        one.pin(NOISE, (3, 16, 16))(EXACT.images) for one in (GaussianBlur(1.5, 5), BilateralFilter(1e6))
    )
    torch.testing.assert_close(filtered, blurred)


def test_a_sharp_edge_stays():
    """Black and white are ten deviations apart: the other side weighs exp(-50)."""
    edge = torch.zeros(2, 1, 8, 8, dtype=torch.float64)
    edge[..., 4:] = 1
    torch.testing.assert_close(BilateralFilter(0.1).pin(NOISE, (1, 8, 8))(edge), edge)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BilateralFilter(0), "BilateralFilter.sigma_colour .* got 0"),
        (lambda: BilateralFilter(sigma_space=math.inf), "BilateralFilter.sigma_space .* got inf"),
        (lambda: BilateralFilter(width=4), "BilateralFilter.width .* got 4"),
        (lambda: BilateralFilter(width=9).pin(NOISE, (1, 4, 8)), "mirrors 4 pixels .* got 4 x 8"),
    ],
)
def test_bad_values_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
