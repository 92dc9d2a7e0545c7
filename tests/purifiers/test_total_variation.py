"""Claims about total-variation denoising."""

import math

import pytest
import torch
from skimage.restoration import denoise_tv_chambolle

from purigeom.geometry.jacobian import Jacobian
from purigeom.noise import Noise
from purigeom.purifiers.total_variation import TotalVariation

NOISE = Noise(seed=0, image_ids=(3, 7))
SHAPE = (3, 10, 12)
IMAGES = NOISE.uniform_like(torch.empty(2, *SHAPE, dtype=torch.float64)) / 4 + 0.5


def total_variation(images):
    down, right = images.diff(dim=-2)[..., :-1], images.diff(dim=-1)[..., :-1, :]
    return torch.hypot(down, right).sum()


@pytest.mark.parametrize(("weight", "iterations"), [(0.1, 1), (0.1, 50), (0.5, 20)])
def test_total_variation_is_scikit_images(weight, iterations):
    denoised = TotalVariation(weight, iterations).pin(NOISE, SHAPE)(IMAGES)
    # scikit-image counts the evaluations of the result, the first of which comes before any update.
    rounds = iterations + 1
    for image, planes in zip(denoised, IMAGES, strict=True):
        for plane, before in zip(image, planes, strict=True):
            oracle = denoise_tv_chambolle(before.numpy(), weight=weight, eps=0, max_num_iter=rounds)
            torch.testing.assert_close(plane, torch.from_numpy(oracle))


def test_a_flat_image_stays_and_has_finite_gradients():
    images = torch.full((2, 1, 6, 6), 0.5, dtype=torch.float64)
    pinned = TotalVariation(iterations=5).pin(NOISE, (1, 6, 6))
    torch.testing.assert_close(pinned(images), images)
    jacobian, probes = Jacobian(pinned, images), torch.ones_like(images).flatten(1)[..., None]
    torch.testing.assert_close(jacobian.push(probes), probes)
    torch.testing.assert_close(jacobian.pull(probes), probes)


def test_more_weight_leaves_less_variation_and_the_mean():
    light, heavy = (TotalVariation(weight, 200).pin(NOISE, SHAPE)(IMAGES) for weight in (0.05, 0.3))
    assert total_variation(heavy) < total_variation(light) < total_variation(IMAGES)
    torch.testing.assert_close(heavy.mean((2, 3)), IMAGES.mean((2, 3)))


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: TotalVariation(weight=0), "TotalVariation.weight .* got 0"),
        (lambda: TotalVariation(weight=math.inf), "TotalVariation.weight"),
        (lambda: TotalVariation(iterations=0), "TotalVariation.iterations .* got 0"),
    ],
)
def test_bad_fields_are_named(make, field):
    with pytest.raises(ValueError, match=field):
        make()
