"""Claims about the classifier with self-supervised heads, and about its losses without labels."""

import math

import pytest
import torch

from purigeom.images import Digits
from purigeom.networks.self_supervised import LOSSES, SelfSupervised, consistency, reconstruction, rotation
from purigeom.noise import Noise

BATCH = Digits()[:256].load()
NETWORK = SelfSupervised("digits-soap")
NOISE = Noise(0, BATCH.image_ids)


def test_the_shipped_one_knows_digits():
    assert (NETWORK.load()(BATCH.images).argmax(1) == BATCH.labels).float().mean() > 0.97


def test_as_a_classifier_it_is_its_first_head_in_the_type_of_the_images():
    logits = NETWORK.load()(BATCH.images[:2].double())
    assert logits.dtype == torch.double
    assert torch.equal(logits, NETWORK.answer()("classes", BATCH.images[:2].double()))


@pytest.mark.parametrize("auxiliary", LOSSES)
def test_its_losses_tell_digits_from_noisy_ones(auxiliary):
    noisy = (BATCH.images + 0.3 * NOISE.sign_like(BATCH.images)).clamp(0, 1)
    clean, spoilt = (LOSSES[auxiliary](NETWORK.answer(), images) for images in (BATCH.images, noisy))
    assert spoilt.mean() > 1.5 * clean.mean()


def test_reconstruction_is_the_mean_square_per_image():
    images = torch.tensor([0.0, 0.5]).reshape(2, 1, 1, 1).expand(2, 1, 4, 4)
    assert reconstruction(lambda _, asked: asked + 0.2 * asked, images).tolist() == pytest.approx([0, 0.01])


def test_rotation_asks_for_every_quarter_turn():
    """Who reads the turn off one bright corner has no loss; who always answers the same has log 4."""
    images = torch.zeros(3, 1, 6, 6)
    images[:, :, 0, 0] = 1

    def reads(_, asked):
        corners = asked[:, 0, [0, -1, -1, 0], [0, 0, -1, -1]]  # as rot90 turns, against the clock
        return 100 * corners

    assert rotation(reads, images).tolist() == pytest.approx([0, 0, 0], abs=1e-6)
    never = rotation(lambda _, asked: torch.zeros(len(asked), 4), images)
    assert never.tolist() == pytest.approx([math.log(4)] * 3)


def test_consistency_compares_with_the_mirrored_and_magnified_centre():
    """Of 32 pixels, the 24 in the middle, as SOAP's code has it."""
    images = Noise(0, (1, 2)).uniform_like(torch.zeros(2, 3, 32, 32))
    other = torch.nn.functional.interpolate(images.flip(3)[:, :, 4:28, 4:28], [32, 32])
    expected = (images - other).square().flatten(1).mean(1)
    torch.testing.assert_close(consistency(lambda _, asked: asked.flatten(1), images), expected)


def test_images_of_another_shape_are_named():
    with pytest.raises(ValueError, match=r"SelfSupervised\('digits-soap'\) takes images of shape \(1, 8, 8\)"):
        NETWORK.check((1, 28, 28))
