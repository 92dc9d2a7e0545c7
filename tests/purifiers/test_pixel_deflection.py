"""Claims about pixel deflection."""

from dataclasses import replace

import pytest
import torch

from purigeom.contract import verify
from purigeom.derivatives import derivatives_told
from purigeom.noise import Noise
from purigeom.procedural import Procedural
from purigeom.purifiers.bit_depth import BitDepth
from purigeom.purifiers.identity import Identity
from purigeom.purifiers.pixel_deflection import PixelDeflection
from purigeom.purifiers.wavelet import WaveletShrinkage

BATCH = Procedural(count=2).load()
EXACT = replace(BATCH, images=BATCH.images.double())
NOISE = Noise(0, BATCH.image_ids)
SHAPE = (3, 16, 16)
PLACES = torch.arange(256.0, dtype=torch.float64).reshape(1, 1, 16, 16).expand(2, 3, -1, -1)
"""An image that says where each of its pixels is."""


def deflected(images, deflections, window, channels="together"):
    return PixelDeflection(deflections, window, channels, Identity()).pin(NOISE, SHAPE)(images)


@pytest.mark.parametrize("channels", ["together", "apart"])
def test_it_keeps_the_contract_and_has_its_own_derivatives(channels):
    purifier = PixelDeflection(30, 3, channels)
    verify(purifier, BATCH, NOISE)
    assert "agree with each other" in derivatives_told(purifier, EXACT, NOISE)


def test_it_is_the_loop_of_the_paper():
    """With the same draws, pixel after pixel; each replacement sees those before it."""
    found, words = deflected(EXACT.images, 200, 5), NOISE.child("places").words_like(torch.zeros(2, 4, 1, 200))
    for image, drawn, answer in zip(EXACT.images.clone(), words[:, :, 0].tolist(), found, strict=True):
        for row, down, column, right in zip(*drawn, strict=True):
            new, old = [], []
            for place, other in ((row % 16, down), (column % 16, right)):
                near = [one for one in range(16) if abs(one - place) <= 5]
                new.append(place)
                old.append(near[other % len(near)])
            image[:, new[0], new[1]] = image[:, old[0], old[1]]
        assert torch.equal(image, answer)


def test_new_pixels_come_from_the_window():
    """One replacement of one pixel at most 2 rows and 2 columns away."""
    moved = 0
    for seed in range(20):
        found = PixelDeflection(1, 2, denoiser=Identity()).pin(Noise(seed, (1, 2)), SHAPE)(PLACES)
        changed = (found != PLACES).any(1)
        assert changed.flatten(1).sum(1).max() <= 1
        here, there = PLACES[:, 0][changed], found[:, 0][changed]
        assert (here // 16 - there // 16).abs().le(2).all()
        assert (here % 16 - there % 16).abs().le(2).all()
        moved += len(here)
    assert moved > 20  # of 40, less the 1 in 25 that lands on itself


def test_channels_together_move_whole_pixels_and_apart_they_share_the_count():
    together, apart = (deflected(PLACES, 30, 5, channels) != PLACES for channels in ("together", "apart"))
    assert torch.equal(together.any(1), together.all(1))
    assert not torch.equal(apart.any(1), apart.all(1))
    assert apart.flatten(1).sum(1).max() <= 30
    assert together[:, 0].flatten(1).sum(1).min() > 20


def test_the_denoiser_comes_after_and_answers_for_the_derivatives():
    wavelets = WaveletShrinkage(0.1)
    expected = wavelets.pin(NOISE, SHAPE)(deflected(EXACT.images, 30, 3))
    assert torch.equal(PixelDeflection(30, 3, denoiser=wavelets).pin(NOISE, SHAPE)(EXACT.images), expected)
    assert PixelDeflection(denoiser=BitDepth()).declaration.differentiability == "piecewise constant"
    assert PixelDeflection(denoiser=Identity()).declaration.range == "unbounded"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PixelDeflection(0), "PixelDeflection.deflections .* got 0"),
        (lambda: PixelDeflection(window=0), "PixelDeflection.window .* got 0"),
        (lambda: PixelDeflection(channels="rgb"), "PixelDeflection.channels .* got 'rgb'"),
    ],
)
def test_bad_values_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
