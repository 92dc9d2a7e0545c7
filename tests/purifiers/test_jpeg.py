"""Claims about JPEG compression."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.data import astronaut
from torch.func import jacrev

from purigeom.geometry.jacobian import Jacobian
from purigeom.noise import Noise
from purigeom.protocols import declaration
from purigeom.purifiers.jpeg import _CHROMINANCE, _LUMINANCE, JPEG, quantisation_tables, smooth_round

NOISE = Noise(seed=0, image_ids=(0,))
COLOUR = astronaut()[40:107, 180:251]  # neither side a multiple of eight
GREY = COLOUR[..., :1]


def purified(jpeg, pixels):
    images = torch.from_numpy(pixels).double().permute(2, 0, 1)[None] / 255
    return jpeg.pin(NOISE, tuple(images.shape[1:]))(images)


def through_pillow(pixels, quality):
    buffer = io.BytesIO()
    Image.fromarray(pixels.squeeze()).save(buffer, "JPEG", quality=quality, subsampling=0)
    return np.asarray(Image.open(buffer)).reshape(pixels.shape)


@pytest.mark.parametrize("quality", [10, 50, 75, 95])
@pytest.mark.parametrize(("pixels", "levels"), [(GREY, 3), (COLOUR, 5)], ids=["grey", "colour"])
def test_hard_rounding_is_pillows_jpeg(pixels, levels, quality):
    ours = (purified(JPEG(quality, "hard"), pixels)[0].permute(1, 2, 0) * 255).round().numpy()
    gap = np.abs(ours - through_pillow(pixels, quality))
    # Pillow's whole-number planes and cosines tip coefficients that lie between two levels.
    assert np.mean(gap <= levels) > 0.97
    assert gap.mean() < 0.4 * levels


def test_the_tables_of_pillow_are_those_of_every_quality():
    for quality in range(1, 101):
        buffer = io.BytesIO()
        Image.fromarray(COLOUR[:8, :8]).save(buffer, "JPEG", quality=quality, subsampling=0)
        tables = Image.open(buffer).quantization
        ours = quantisation_tables(quality, (_LUMINANCE, _CHROMINANCE)).flatten(1).tolist()
        assert ours == [list(tables[0]), list(tables[1])], quality


def test_smooth_rounding_bends_by_the_cube_of_the_remainder():
    values = torch.tensor([2.0, 2.25, 2.4, -1.4], dtype=torch.float64, requires_grad=True)
    rounded = smooth_round(values)
    rounded.sum().backward()
    torch.testing.assert_close(rounded.detach(), torch.tensor([2, 2 + 1 / 64, 2.064, -1.064]).double())
    torch.testing.assert_close(values.grad, torch.tensor([0, 3 / 16, 0.48, 0.48]).double())


def test_smooth_rounding_stays_near_the_hard_one_and_has_its_own_gradient():
    smooth, hard = (purified(JPEG(50, rounding), COLOUR) for rounding in ("smooth", "hard"))
    assert (smooth - hard).abs().mean() < 0.02
    corner = torch.from_numpy(GREY[:8, :8, 0].copy()).double()[None, None] / 255
    pinned, step = JPEG(50).pin(NOISE, (1, 8, 8)), 1e-6 * NOISE.sign_like(corner)
    moved = (pinned(corner + step) - pinned(corner - step)) / 2
    torch.testing.assert_close(moved.flatten(), jacrev(pinned)(corner).reshape(64, 64) @ step.flatten())


def test_hard_rounding_declares_and_has_no_slope():
    assert declaration(JPEG(rounding="hard")).differentiability == "piecewise constant"
    assert declaration(JPEG()).differentiability == "exact"
    images = torch.full((1, 3, 8, 8), 0.3)
    jacobian = Jacobian(JPEG(rounding="hard").pin(NOISE, (3, 8, 8)), images)
    assert not jacobian.push(torch.ones(len(images), images[0].numel(), 2)).any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("channels", [1, 3])
def test_quality_100_nearly_keeps_a_flat_image(channels, dtype):
    images = torch.full((1, channels, 10, 9), 0.4, dtype=dtype)
    kept = JPEG(quality=100).pin(NOISE, (channels, 10, 9))(images)
    assert kept.dtype == dtype
    torch.testing.assert_close(kept, images, atol=1 / 255, rtol=0)


def test_other_channel_counts_are_refused():
    with pytest.raises(ValueError, match="got 4 channels"):
        JPEG().pin(NOISE, (4, 8, 8))(torch.zeros(1, 4, 8, 8))


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: JPEG(quality=0), "JPEG.quality .* got 0"),
        (lambda: JPEG(quality=101), "JPEG.quality .* got 101"),
        (lambda: JPEG(rounding="soft"), "JPEG.rounding .* got 'soft'"),
    ],
)
def test_bad_fields_are_named(make, field):
    with pytest.raises(ValueError, match=field):
        make()
