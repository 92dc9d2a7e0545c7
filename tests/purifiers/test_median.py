"""Claims about the median filter."""

import pytest
import torch
from scipy.ndimage import median_filter

from purigeom.geometry.jacobian import Jacobian
from purigeom.noise import Noise
from purigeom.purifiers.median import MedianFilter

NOISE = Noise(seed=0, image_ids=(3, 7))
SHAPE = (3, 9, 8)
IMAGES = NOISE.uniform_like(torch.empty(2, *SHAPE, dtype=torch.float64)) / 2 + 0.5


@pytest.mark.parametrize("width", [1, 3, 5])
def test_median_is_scipys(width):
    filtered = MedianFilter(width).pin(NOISE, SHAPE)(IMAGES)
    oracle = median_filter(IMAGES.numpy(), size=(1, 1, width, width), mode="mirror")
    assert torch.equal(filtered, torch.from_numpy(oracle))


def test_median_removes_a_single_bright_pixel():
    images = torch.zeros(2, 1, 7, 7)
    images[:, :, 3, 3] = 1
    assert not MedianFilter().pin(NOISE, (1, 7, 7))(images).any()


def test_gradient_goes_to_the_median_pixel():
    image = torch.arange(25.0, dtype=torch.float64).reshape(1, 1, 5, 5) / 25
    image.requires_grad_()
    MedianFilter().pin(Noise(0, (0,)), (1, 5, 5))(image)[0, 0, 2, 2].backward()
    expected = torch.zeros(5, 5, dtype=torch.float64)
    expected[2, 2] = 1
    assert torch.equal(image.grad[0, 0], expected)


def test_push_and_pull_are_adjoint_even_where_all_pixels_are_equal():
    jacobian = Jacobian(MedianFilter().pin(NOISE, SHAPE), torch.zeros_like(IMAGES))
    tangents = NOISE.child("tangent").normal_like(IMAGES).flatten(1)[..., None]
    cotangents = NOISE.child("cotangent").normal_like(IMAGES).flatten(1)[..., None]
    pushed, pulled = jacobian.push(tangents), jacobian.pull(cotangents)
    torch.testing.assert_close((pushed * cotangents).sum(), (pulled * tangents).sum())


@pytest.mark.parametrize("width", [0, 2, -3])
def test_bad_width_is_named(width):
    with pytest.raises(ValueError, match=f"MedianFilter.width .* got {width}"):
        MedianFilter(width)
