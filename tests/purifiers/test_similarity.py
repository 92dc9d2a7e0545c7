"""Claims about the structural similarity and its slope."""

import pytest
import torch
from skimage.metrics import structural_similarity
from torch.func import grad
from torch.nn.functional import pad

from purigeom.purifiers.diffusion.similarity import similarity, similarity_slope

IMAGES, REFERENCE = torch.rand(2, 2, 3, 9, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_it_is_scikit_images_where_borders_are_zero():
    images, reference = (pad(one, (10, 10, 10, 10)) for one in (IMAGES, REFERENCE))  # so that no border is mirrored
    for found, one, other in zip(similarity(images, reference), images.numpy(), reference.numpy(), strict=True):
        oracle = structural_similarity(
            one, other, channel_axis=0, data_range=1, gaussian_weights=True, use_sample_covariance=False, full=True
        )[1].mean()
        assert found.item() == pytest.approx(oracle)


def test_its_slope_is_the_one_that_autograd_finds():
    expected = grad(lambda images: similarity(images, REFERENCE).sum())(IMAGES)
    torch.testing.assert_close(similarity_slope(IMAGES, REFERENCE), expected)


def test_an_image_is_most_like_itself():
    torch.testing.assert_close(similarity(IMAGES, IMAGES), torch.ones(2, dtype=torch.float64))
    torch.testing.assert_close(similarity_slope(IMAGES, IMAGES), torch.zeros_like(IMAGES), atol=1e-12, rtol=0)
