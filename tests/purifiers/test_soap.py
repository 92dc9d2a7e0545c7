"""Claims about SOAP, with the network that is shipped for digits."""

import pickle
from dataclasses import replace

import pytest
import torch

from purigeom.contract import verify
from purigeom.cost import counted
from purigeom.derivatives import derivatives_told
from purigeom.geometry.jacobian import Jacobian
from purigeom.images import Digits
from purigeom.networks.self_supervised import LOSSES, SelfSupervised
from purigeom.noise import Noise
from purigeom.purifiers.coupled.soap import SOAP

BATCH = Digits()[:2].load()
EXACT = replace(BATCH, images=BATCH.images.double())
NOISE = Noise(0, BATCH.image_ids)
SHAPE = (1, 8, 8)
NETWORK = SelfSupervised("digits-soap")
GREY = 0.5 + 0.2 * NOISE.uniform_like(EXACT.images)
"""Images that 40/255 do not bring to black or white."""


def pinned(auxiliary, **settings):
    return SOAP(NETWORK, auxiliary, **settings).pin(NOISE, SHAPE)


@pytest.mark.parametrize("auxiliary", LOSSES)
def test_it_keeps_the_contract_and_has_its_own_derivatives(auxiliary):
    purifier = SOAP(NETWORK, auxiliary, radii=3, steps=2)
    verify(purifier, EXACT, NOISE)
    assert "agree with each other" in derivatives_told(purifier, EXACT, NOISE)
    assert purifier.declaration.network == "digits-soap"
    assert pickle.loads(pickle.dumps(purifier)) == purifier


@pytest.mark.parametrize("auxiliary", LOSSES)
def test_its_jacobian_is_the_identity_where_nothing_is_clipped(auxiliary):
    jacobian, probes = Jacobian(pinned(auxiliary), GREY), NOISE.normal_like(torch.zeros(2, 64, 2).double())
    torch.testing.assert_close(jacobian.push(probes), probes)
    torch.testing.assert_close(jacobian.pull(probes), probes)


def test_its_jacobian_is_a_diagonal_of_ones_and_zeros():
    """Zero where a pixel was clipped on its way, even if it left black and white again."""
    images = (EXACT.images + 0.15 * NOISE.sign_like(EXACT.images)).clamp(1e-4, 1 - 1e-4)
    matrices = Jacobian(pinned("reconstruction"), images).push(torch.eye(64).double().expand(2, -1, -1))
    diagonal = matrices.diagonal(dim1=1, dim2=2)
    torch.testing.assert_close(matrices, diagonal.diag_embed())
    assert diagonal.unique().tolist() == [0, 1]


@pytest.mark.parametrize("auxiliary", LOSSES)
def test_it_is_the_loop_over_radii(auxiliary):
    """As published: PGD from the image itself, downhill, one radius after the other; then the least loss."""
    images, losses = EXACT.images, lambda asked: LOSSES[auxiliary](NETWORK.answer(), asked)
    candidates = []
    for multiple in range(11):
        delta, radius = torch.zeros_like(images), multiple * 4 / 255
        for _ in range(5):
            asked = (images + delta).requires_grad_()
            (slope,) = torch.autograd.grad(losses(asked).sum(), asked)
            delta = (delta - 4 / 255 * slope.sign()).clamp(-radius, radius)
            delta = (images + delta).clamp(0, 1) - images
        candidates.append(images + delta)
    best = torch.stack([losses(candidate) for candidate in candidates]).argmin(0)
    expected = torch.stack([candidates[choice][place] for place, choice in enumerate(best.tolist())])
    torch.testing.assert_close(pinned(auxiliary)(images), expected)


@pytest.mark.parametrize("auxiliary", LOSSES)
def test_the_loss_falls_and_the_image_stays_within_the_largest_radius(auxiliary):
    noisy = (EXACT.images + 0.15 * NOISE.sign_like(EXACT.images)).clamp(0, 1)
    purified = pinned(auxiliary)(noisy)
    before, after = (LOSSES[auxiliary](NETWORK.answer(), images) for images in (noisy, purified))
    assert (after < before).all()
    assert (purified - noisy).abs().max() <= 40 / 255 + 1e-9


def test_an_image_that_no_step_improves_stays():
    """Steps of a thousand make everything black or white, which is no better rebuilt."""
    torch.testing.assert_close(pinned("reconstruction", radius=1e3, step=1e3)(EXACT.images), EXACT.images)


def test_what_it_asks_of_the_network_is_counted():
    """Of 11 radii, 5 gradients and the final loss; quarter turns count four times."""
    for auxiliary, each in (("reconstruction", 1), ("rotation", 4), ("consistency", 2)):
        with counted() as evaluations:
            pinned(auxiliary)(BATCH.images)
        assert evaluations.count == 11 * 6 * each * len(BATCH)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SOAP(NETWORK, "jigsaw"), "SOAP.auxiliary .* got 'jigsaw'"),
        (lambda: SOAP(NETWORK, radius=0), "SOAP.radius .* got 0"),
        (lambda: SOAP(NETWORK, step=-1), "SOAP.step .* got -1"),
        (lambda: SOAP(NETWORK, radii=0), "SOAP.radii .* got 0"),
        (lambda: SOAP(NETWORK, steps=0), "SOAP.steps .* got 0"),
        (lambda: SOAP(NETWORK).pin(NOISE, (3, 32, 32)), r"takes images of shape \(1, 8, 8\); got \(3, 32, 32\)"),
    ],
)
def test_bad_values_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_missing_network_is_named():
    with pytest.raises(FileNotFoundError, match="'no-such-network' was not found"):
        SOAP(SelfSupervised("no-such-network")).pin(NOISE, SHAPE)
