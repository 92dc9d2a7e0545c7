"""Claims about wavelet shrinkage."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from purigeom.contract import verify
from purigeom.derivatives import derivatives_told
from purigeom.noise import Noise
from purigeom.procedural import Procedural
from purigeom.purifiers.wavelet import WaveletShrinkage, analysed, estimated_noise, synthesised

BATCH = Procedural(count=2).load()
EXACT = replace(BATCH, images=BATCH.images.double())
NOISE = Noise(0, BATCH.image_ids)
KINDS = [
    WaveletShrinkage(),
    WaveletShrinkage(0.1, levels=3, shrinkage="hard"),
    WaveletShrinkage(0.05, levels=1, rule="visu"),
    WaveletShrinkage(None, rule="visu", shrinkage="hard"),
]


def purified(purifier, images):
    return purifier.pin(NOISE, tuple(images.shape[1:]))(images)


def by_hand(plane, purifier):
    """Return one plane after one level, block by block, with a given sigma."""
    rows, columns = plane.shape
    whole = np.pad(plane, ((0, rows % 2), (0, columns % 2)), mode="reflect")
    blocks = {
        (i, j): whole[2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
        for i in range(whole.shape[0] // 2)
        for j in range(whole.shape[1] // 2)
    }
    signs = {"across": ((1, -1), (1, -1)), "down": ((1, 1), (-1, -1)), "diagonal": ((1, -1), (-1, 1))}
    answer = np.zeros_like(whole)
    for place, block in blocks.items():
        answer[2 * place[0] : 2 * place[0] + 2, 2 * place[1] : 2 * place[1] + 2] = block.mean()
    for sign in signs.values():
        band = {place: (block * sign).sum() / 2 for place, block in blocks.items()}
        variance = np.mean([detail**2 for detail in band.values()])
        threshold = purifier.sigma * math.sqrt(2 * math.log(plane.size))
        if purifier.rule == "bayes":
            threshold = purifier.sigma**2 / math.sqrt(max(variance - purifier.sigma**2, np.finfo(float).eps))
        for (i, j), detail in band.items():
            left = max(abs(detail) - threshold, 0) * np.sign(detail)
            kept = left if purifier.shrinkage == "soft" else detail * (abs(detail) > threshold)
            answer[2 * i : 2 * i + 2, 2 * j : 2 * j + 2] += kept * np.array(sign) / 2
    return answer[:rows, :columns].clip(0, 1)


@pytest.mark.parametrize("purifier", KINDS, ids=repr)
def test_it_keeps_the_contract_and_has_its_own_derivatives(purifier):
    verify(purifier, BATCH, NOISE)
    assert "agree with each other" in derivatives_told(purifier, EXACT, NOISE)


@pytest.mark.parametrize("rule", ["bayes", "visu"])
@pytest.mark.parametrize("shrinkage", ["soft", "hard"])
def test_one_level_is_that_of_blocks_of_four_on_odd_sizes_too(rule, shrinkage):
    purifier = WaveletShrinkage(0.06, 1, rule, shrinkage)
    images = EXACT.images[:, :, :13, :11] + 0.05 * NOISE.normal_like(EXACT.images[:, :, :13, :11])
    expected = [[by_hand(plane.numpy(), purifier) for plane in image] for image in images]
    torch.testing.assert_close(purified(purifier, images), torch.tensor(np.array(expected)))


def test_the_transform_is_orthonormal():
    bands = analysed(EXACT.images)
    torch.testing.assert_close(bands.square().sum(), EXACT.images.square().sum())
    torch.testing.assert_close(synthesised(bands), EXACT.images)


@pytest.mark.parametrize("levels", [1, 3])
def test_without_noise_nothing_is_removed(levels):
    images = EXACT.images[..., :13]
    torch.testing.assert_close(purified(WaveletShrinkage(0.0, levels), images), images)


def test_noise_beyond_every_detail_leaves_the_averages():
    """Of 16 x 16 pixels in two levels, the means of 4 x 4 blocks."""
    means = torch.nn.functional.avg_pool2d(EXACT.images, 4).repeat_interleave(4, -1).repeat_interleave(4, -2)
    for rule in ("bayes", "visu"):
        torch.testing.assert_close(purified(WaveletShrinkage(100.0, rule=rule), EXACT.images), means)


def test_planted_noise_is_found_and_most_of_it_removed():
    """The diagonal details of flat grey hold nothing else; 0.01 is what 1,024 of them leave open."""
    noisy = 0.5 + 0.1 * NOISE.normal_like(torch.empty(2, 3, 64, 64, dtype=torch.float64))
    assert (estimated_noise(noisy) - 0.1).abs().max() < 0.01
    left = purified(WaveletShrinkage(None, 3, "visu"), noisy) - 0.5
    assert left.square().mean() < 0.1 * (noisy - 0.5).square().mean()


def test_hard_thresholds_leave_what_soft_ones_shorten():
    kinds = (WaveletShrinkage(0.02, 1, "visu", kind) for kind in ("soft", "hard"))
    soft, hard = (analysed(purified(kind, EXACT.images)) for kind in kinds)
    threshold = 0.02 * math.sqrt(2 * math.log(256))
    details = analysed(EXACT.images)[:, :, 1:]
    inside = (analysed(EXACT.images)[:, :, :1].abs() < 1.8).expand_as(details) & (details.abs() > threshold + 1e-9)
    assert inside.sum() > 50
    torch.testing.assert_close((hard - soft)[:, :, 1:][inside].abs().median(), torch.tensor(threshold).double())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: WaveletShrinkage(-0.1), r"WaveletShrinkage.sigma .* got -0.1"),
        (lambda: WaveletShrinkage(math.nan), "WaveletShrinkage.sigma"),
        (lambda: WaveletShrinkage(levels=0), "WaveletShrinkage.levels .* got 0"),
        (lambda: WaveletShrinkage(rule="sure"), "WaveletShrinkage.rule .* got 'sure'"),
        (lambda: WaveletShrinkage(shrinkage="firm"), "WaveletShrinkage.shrinkage .* got 'firm'"),
        (lambda: WaveletShrinkage(levels=4).pin(NOISE, (1, 16, 8)), "at least 16 pixels a side; got 16 x 8"),
    ],
)
def test_bad_values_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
