"""Claims about enlarging and shrinking as products with matrices."""

import pytest
import torch
from torch.nn.functional import interpolate

from purigeom.purifiers.diffusion.resizing import enlarging, low_pass

SHAPE = (3, 8, 12)
IMAGES = torch.rand(2, *SHAPE, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("resampling", ["bicubic", "nearest"])
def test_enlarging_is_torch_s(resampling):
    expected = interpolate(IMAGES, scale_factor=4, mode=resampling, antialias=resampling == "bicubic")
    torch.testing.assert_close(enlarging(SHAPE, 4, resampling)(IMAGES), expected)


def test_a_low_pass_shrinks_without_aliasing_and_enlarges_again():
    smaller = interpolate(IMAGES, (2, 3), mode="bicubic", antialias=True)
    expected = interpolate(smaller, (8, 12), mode="bicubic", antialias=True)
    torch.testing.assert_close(low_pass(SHAPE, 4, "A factor")(IMAGES), expected)


def test_a_low_pass_keeps_what_is_flat_and_forgets_what_alternates():
    smooth = low_pass((1, 8, 8), 4, "A factor")
    flat = torch.full((1, 1, 8, 8), 0.7, dtype=torch.float64)
    checked = (torch.arange(8)[:, None] + torch.arange(8)) % 2 * 2.0 - 1
    torch.testing.assert_close(smooth(flat), flat)
    assert smooth(checked.double()[None, None]).abs().max() < 0.02


def test_a_factor_that_leaves_pixels_over_is_refused():
    with pytest.raises(ValueError, match=r"A factor must divide the rows and columns of images; got 5"):
        low_pass(SHAPE, 5, "A factor")
