"""Claims about the reduction of grey levels."""

import pytest
import torch

from purigeom.noise import Noise
from purigeom.purifiers.bit_depth import BitDepth

NOISE = Noise(seed=0, image_ids=(0,))
RAMP = torch.linspace(0, 1, 256, dtype=torch.float64).reshape(1, 1, 16, 16)


@pytest.mark.parametrize("bits", [1, 2, 5])
def test_a_full_ramp_uses_every_level(bits):
    levels = BitDepth(bits).pin(NOISE, (1, 16, 16))(RAMP).unique()
    torch.testing.assert_close(levels, torch.linspace(0, 1, 2**bits, dtype=torch.float64))


def test_no_pixel_moves_further_than_half_a_level():
    assert (BitDepth(3).pin(NOISE, (1, 16, 16))(RAMP) - RAMP).abs().amax() <= 0.5 / 7


def test_eight_bits_keep_an_eight_bit_image():
    torch.testing.assert_close(BitDepth(8).pin(NOISE, (1, 16, 16))(RAMP), RAMP)


def test_pixels_outside_the_range_are_brought_back():
    images = torch.tensor([-0.3, 1.3]).reshape(1, 1, 1, 2)
    assert BitDepth(2).pin(NOISE, (1, 1, 2))(images).flatten().tolist() == [0, 1]


@pytest.mark.parametrize("bits", [0, 17, 2.5])
def test_bad_bits_are_named(bits):
    with pytest.raises(ValueError, match=f"BitDepth.bits .* got {bits}"):
        BitDepth(bits)
