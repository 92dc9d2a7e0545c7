import pytest
import torch

from purigeom.catalog import DIGITS_UNET
from purigeom.noise import Noise
from purigeom.purifiers.bit_depth import BitDepth
from purigeom.purifiers.composed import Compose, Repeat
from purigeom.purifiers.diffusion.ddim import OneShot
from purigeom.purifiers.gaussian import GaussianBlur, GaussianNoise
from purigeom.purifiers.total_variation import TotalVariation

NOISE = Noise(0, (1, 2))
IMAGES = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
SHAPE = (1, 8, 8)


def test_parts_apply_in_order() -> None:
    blur, coarse = GaussianBlur(sigma=0.7), BitDepth(bits=2)
    composed = Compose((blur, coarse)).pin(NOISE, SHAPE)(IMAGES)
    expected = coarse.pin(NOISE, SHAPE)(blur.pin(NOISE, SHAPE)(IMAGES))
    assert torch.equal(composed, expected)


def test_every_repetition_has_noise_of_its_own() -> None:
    twice = Repeat(GaussianNoise(sigma=1.0), 2).pin(NOISE, SHAPE)(IMAGES) - IMAGES
    once = Repeat(GaussianNoise(sigma=1.0), 1).pin(NOISE, SHAPE)(IMAGES) - IMAGES
    assert not torch.allclose(twice, 2 * once)
    assert 1.2 < twice.std() < 1.6


def test_a_composition_is_one_chain_of_all_steps() -> None:
    composed = Compose((GaussianBlur(sigma=0.7), OneShot(DIGITS_UNET, 30)))
    assert len(composed.pin(NOISE, SHAPE).steps) == 1 + 3


def test_a_composition_declares_its_worst_gradient_and_its_only_network() -> None:
    declared = Compose((TotalVariation(), OneShot(DIGITS_UNET, 30), BitDepth())).declaration
    assert declared.differentiability == "piecewise constant"
    assert declared.network == "digits-ddpm"
    assert declared.range == "clamped"


def test_nothing_to_compose_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Compose\.parts"):
        Compose(())
    with pytest.raises(ValueError, match=r"Repeat\.times"):
        Repeat(BitDepth(), 0)
