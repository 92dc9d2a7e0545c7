"""Claims about image quilting."""

import pickle
from dataclasses import replace

import pytest
import torch

from purigeom.contract import verify
from purigeom.derivatives import derivatives_told
from purigeom.geometry.jacobian import Jacobian
from purigeom.identity import digest, recipe
from purigeom.images import Digits
from purigeom.noise import Noise
from purigeom.procedural import Procedural
from purigeom.purifiers.quilting import Quilting, _nearest

CLEAN = Digits("train")
BATCH = Digits()[:3].load()
EXACT = replace(BATCH, images=BATCH.images.double())
NOISE = Noise(0, BATCH.image_ids)
SHAPE = (1, 8, 8)
ONE = Procedural(count=1)
"""A single image, of whose 196 patches of 3 x 3 pixels 5,000 draws miss none."""


def own_patches(patch=3):
    image = ONE.load().images[0]
    return image.unfold(1, patch, 1).unfold(2, patch, 1).permute(1, 2, 0, 3, 4).flatten(0, 1)


def by_hand(image, patches, patch, starts):
    total, times = torch.zeros_like(image), torch.zeros_like(image)
    for row in starts:
        for column in starts:
            place = (slice(None), slice(row, row + patch), slice(column, column + patch))
            nearest = (patches - image[place]).square().sum((1, 2, 3)).argmin()
            total[place] += patches[nearest]
            times[place] += 1
    return total / times


def test_it_keeps_the_contract_and_its_word_about_derivatives():
    purifier = Quilting(CLEAN, 3, 1, 5, 2000)
    verify(purifier, BATCH, NOISE)
    assert "not checked" in derivatives_told(purifier, EXACT, NOISE)


def test_it_is_the_loop_over_patches():
    """Of 16 pixels a side, patches of 3 that share 1 start at 0, 2, ... 12, and the last at 13."""
    images = (EXACT.images.repeat(1, 3, 2, 2) + 0.1 * NOISE.normal_like(torch.zeros(3, 3, 16, 16).double())).clamp(0, 1)
    found = Quilting(ONE, 3, 1, 1, 5000).pin(NOISE, (3, 16, 16))(images)
    expected = [by_hand(image, own_patches().double(), 3, [*range(0, 13, 2), 13]) for image in images]
    torch.testing.assert_close(found, torch.stack(expected))


def test_a_clean_image_whose_patches_are_known_stays():
    image = ONE.load().images
    quilted = Quilting(ONE, 3, 1, 1, 5000).pin(Noise(0, (0,)), (3, 16, 16))(image)
    torch.testing.assert_close(quilted, image)


def test_the_slope_is_zero_and_a_step_is_not():
    pinned = Quilting(CLEAN, 3, 1, 5, 2000).pin(NOISE, SHAPE)
    images = 0.5 + 0.4 * NOISE.uniform_like(EXACT.images)  # among a digit's few grey levels patches are equally near
    jacobian = Jacobian(pinned, images)
    assert not jacobian.push(torch.ones(3, 64, 2).double()).any()
    assert not jacobian.pull(torch.ones(3, 64, 2).double()).any()
    assert torch.equal(pinned(images), pinned(images + 1e-6))
    assert not torch.equal(pinned(images), pinned(images + 0.1 * NOISE.sign_like(images)))


def test_among_more_neighbours_the_draw_decides():
    def answers(neighbours):
        purifier = Quilting(CLEAN, 4, 1, neighbours, 2000)
        return [purifier.pin(Noise(seed, BATCH.image_ids), SHAPE)(BATCH.images) for seed in (0, 1)]

    assert torch.equal(*answers(1))
    assert not torch.equal(*answers(10))


def test_of_equally_near_patches_the_first_is_the_nearest():
    apart = torch.tensor([[2, 0], [1, 0], [0, 1], [0, -1], [-1, 0]]).double()
    assert _nearest(torch.zeros(2, 2).double(), apart, 5).tolist() == [[1, 2, 3, 4, 0]] * 2


def test_equally_near_patches_are_taken_in_one_order_whatever_the_type():
    """A digit's patches have many neighbours at the same distance."""
    pinned = Quilting(CLEAN, 4, 1, 10, 2000).pin(NOISE, SHAPE)
    torch.testing.assert_close(pinned(BATCH.images).double(), pinned(EXACT.images))


def test_its_key_holds_the_clean_images_and_which_patches():
    keys = {
        digest(recipe(purifier))
        for purifier in (Quilting(CLEAN), Quilting(CLEAN[:100]), Quilting(CLEAN, seed=1), Quilting(CLEAN, patches=50))
    }
    assert len(keys) == 4
    assert pickle.loads(pickle.dumps(Quilting(CLEAN))) == Quilting(CLEAN)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Quilting(CLEAN, patch=1), "Quilting.patch .* got 1"),
        (lambda: Quilting(CLEAN, overlap=5), "Quilting.overlap .* patch=5; got 5"),
        (lambda: Quilting(CLEAN, neighbours=0), "Quilting.neighbours .* got 0"),
        (lambda: Quilting(CLEAN, neighbours=9, patches=8), "Quilting.neighbours must be from 1 to patches=8; got 9"),
        (lambda: Quilting(CLEAN).pin(NOISE, (3, 8, 8)), "of the channels that are purified, 3; .* has 1"),
        (lambda: Quilting(CLEAN).pin(NOISE, (1, 4, 8)), "Quilting.patch=5 needs images .* got 4 x 8"),
        (lambda: Quilting(CLEAN, patch=9).pin(NOISE, (1, 16, 16)), "must fit the clean images; .* have 8 x 8"),
        (lambda: Quilting(ONE, 16, 0, 2, 50).pin(NOISE, (3, 16, 16)), "hold 1. Draw more patches"),
    ],
)
def test_bad_values_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
