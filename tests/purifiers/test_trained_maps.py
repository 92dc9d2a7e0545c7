"""Claims about purifiers that are one trained network: those of every purifier, and masks that belong to images."""

import pickle
from dataclasses import replace

import pytest
import torch

from purigeom.contract import verify
from purigeom.cost import counted
from purigeom.derivatives import derivatives_told
from purigeom.images import Digits
from purigeom.noise import Noise
from purigeom.protocols import Batch
from purigeom.purifiers.masked_reconstruction import MaskedReconstruction
from purigeom.purifiers.reconstruction import Reconstruction
from tests.networks.small import KINDS, kept

DIGITS = Digits()[:3].load()
EXACT = Batch(DIGITS.images.double(), DIGITS.labels, DIGITS.image_ids)
NOISE = Noise(0, DIGITS.image_ids)
SHAPE = (1, 8, 8)
EVERYONE = (*KINDS, "half masked")


def purifier_of(folder, kind):
    if kind == "half masked":
        return MaskedReconstruction(kept(folder, "masked autoencoder"), ratio=0.5)
    network = kept(folder, kind)
    return MaskedReconstruction(network) if kind == "masked autoencoder" else Reconstruction(network)


@pytest.fixture(params=EVERYONE)
def purifier(request, tmp_path):
    return purifier_of(tmp_path, request.param)


@pytest.fixture
def masking(tmp_path):
    return purifier_of(tmp_path, "half masked")


def test_it_keeps_the_contract(purifier) -> None:
    verify(purifier, DIGITS, NOISE)
    verify(purifier, EXACT, NOISE)
    assert purifier.declaration.network == purifier.network.checkpoint
    assert purifier.declaration.family == purifier.network.family
    assert pickle.loads(pickle.dumps(purifier)) == purifier
    assert hash(pickle.loads(pickle.dumps(purifier))) == hash(purifier)


def test_its_derivatives_agree(purifier) -> None:
    assert "agree" in derivatives_told(purifier, EXACT, NOISE)


def test_every_image_is_one_evaluation(purifier) -> None:
    with counted() as evaluations:
        purifier.pin(NOISE, SHAPE)(DIGITS.images)
    assert evaluations.count == len(DIGITS)


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 16, 16)])
def test_images_that_it_was_not_trained_for_are_refused_before_anything_is_computed(purifier, shape) -> None:
    kind = type(purifier.network).__name__
    with pytest.raises(ValueError, match=rf"{kind}\('.*'\) takes images of shape \(1, 8, 8\); got \({shape[0]}, "):
        purifier.pin(NOISE, shape)


def test_a_missing_weight_is_refused_before_anything_is_computed(purifier) -> None:
    missing = replace(purifier, network=replace(purifier.network, checkpoint="./nowhere"))
    with pytest.raises(FileNotFoundError, match=r"Checkpoint './nowhere' was not found"):
        missing.pin(NOISE, SHAPE)


def test_masks_are_pinned_and_others_with_other_noise(masking) -> None:
    one, again, other = (masking.pin(Noise(seed, DIGITS.image_ids), SHAPE)(DIGITS.images) for seed in (0, 0, 1))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_without_masks_there_is_no_randomness(masking) -> None:
    whole = replace(masking, ratio=0.0)
    one, other = (whole.pin(Noise(seed, DIGITS.image_ids), SHAPE)(DIGITS.images) for seed in (0, 1))
    assert torch.equal(one, other)


def test_hidden_pixels_have_no_derivative_and_half_are_hidden(masking) -> None:
    """A derivative that is zero everywhere says which pixels were hidden: half of them."""
    images = EXACT.images.clone().requires_grad_()
    decoded = masking.pin(NOISE, SHAPE)(images)
    (gradient,) = torch.autograd.grad((decoded * NOISE.child("along").normal_like(decoded)).sum(), images)
    assert (gradient != 0).flatten(1).sum(1).tolist() == [32] * 3


@pytest.mark.parametrize("ratio", [-0.1, 1.0, 1.5, float("nan")])
def test_a_share_that_leaves_nothing_to_see_is_refused(masking, ratio) -> None:
    with pytest.raises(ValueError, match=r"MaskedReconstruction\.ratio must be at least 0 and below 1"):
        replace(masking, ratio=ratio)
