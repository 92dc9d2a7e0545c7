"""Claims about the anti-adversary."""

import math
import pickle
from dataclasses import replace

import pytest
import torch
from torch.func import jvp, vjp, vmap
from torch.nn.functional import cross_entropy

from purigeom.contract import verify
from purigeom.cost import counted
from purigeom.derivatives import derivatives_told
from purigeom.geometry.jacobian import Jacobian
from purigeom.images import Digits
from purigeom.networks.classifier import ConvNet
from purigeom.noise import Noise
from purigeom.purifiers.coupled.anti_adversary import AntiAdversary, doubt

BATCH = Digits()[:4].load()
EXACT = replace(BATCH, images=BATCH.images.double())
NOISE = Noise(0, BATCH.image_ids)
SHAPE = (1, 8, 8)
DIGITS = ConvNet("digits-classifier")
PURIFIER = AntiAdversary(DIGITS)
GREY = 0.5 + 0.4 * NOISE.uniform_like(EXACT.images)
"""Images that the classifier is not sure of."""


def pinned(purifier=PURIFIER):
    return purifier.pin(NOISE, SHAPE)


def test_it_keeps_the_contract_and_has_its_own_derivatives():
    verify(PURIFIER, EXACT, NOISE)
    assert "agree with each other" in derivatives_told(PURIFIER, EXACT, NOISE)
    assert PURIFIER.declaration.network == "digits-classifier"
    assert pickle.loads(pickle.dumps(PURIFIER)) == PURIFIER


@pytest.mark.parametrize("images", [EXACT.images, GREY], ids=["digits", "grey"])
def test_its_jacobian_is_the_identity(images):
    jacobian, probes = Jacobian(pinned(), images), NOISE.normal_like(torch.zeros(4, 64, 3).double())
    torch.testing.assert_close(jacobian.push(probes), probes)
    torch.testing.assert_close(jacobian.pull(probes), probes)


def test_every_transform_of_torch_finds_the_identity():
    tangents = NOISE.normal_like(torch.zeros(4, 5, 1, 8, 8).double()).transpose(0, 1)
    torch.testing.assert_close(vmap(lambda tangent: jvp(pinned(), (GREY,), (tangent,))[1])(tangents), tangents)
    torch.testing.assert_close(vmap(vjp(pinned(), GREY)[1])(tangents)[0], tangents)
    leaf = GREY.clone().requires_grad_()
    (pinned()(leaf) * tangents[0]).sum().backward()
    torch.testing.assert_close(leaf.grad, tangents[0])


def test_it_is_the_loop_of_the_paper():
    logits, images = DIGITS.load(), GREY
    believed, delta = logits(images).argmax(1), torch.zeros_like(images).requires_grad_()
    for _ in range(3):
        (slope,) = torch.autograd.grad(cross_entropy(logits(images + delta), believed), delta)
        delta = (delta - 0.05 * slope.sign()).detach().requires_grad_()
    torch.testing.assert_close(pinned(AntiAdversary(DIGITS, 3, 0.05))(images), images + delta.detach())


def test_signs_survive_float32_where_the_classifier_is_sure():
    """Those of the cross-entropy itself do not: 1 - p rounds to zero, and what is left of its slope is not its own."""
    exact, narrow = (pinned()(images) for images in (EXACT.images, BATCH.images))
    assert ((exact - narrow).abs() < 1e-6).double().mean() > 0.99
    asked, believed = BATCH.images.clone().requires_grad_(), DIGITS.load()(BATCH.images).argmax(1)
    (slope,) = torch.autograd.grad(cross_entropy(DIGITS.load()(asked), believed, reduction="sum"), asked)
    first = (pinned(AntiAdversary(DIGITS, 1))(EXACT.images) - EXACT.images).sign()
    assert (slope.sign() == -first).double().mean() < 0.9


def test_doubt_is_the_cross_entropy_before_its_softplus():
    logits = NOISE.normal_like(torch.zeros(4, 10).double())
    believed = torch.tensor([0, 3, 9, 5])
    expected = cross_entropy(logits, believed, reduction="none")
    torch.testing.assert_close(torch.nn.functional.softplus(doubt(logits, believed)), expected)


def test_the_classifier_keeps_its_answer_and_is_surer_of_it():
    before, after = (DIGITS.load()(images).softmax(1).max(1) for images in (GREY, pinned()(GREY)))
    assert torch.equal(before.indices, after.indices)
    assert (after.values > before.values).all()
    assert after.values.min() > 0.99


def test_a_small_ball_is_moved_as_a_whole_and_a_border_splits_it():
    """Across a border between two answers, images that lie 1e-6 apart end up far from each other."""
    near = pinned()(GREY + 1e-7 * NOISE.sign_like(GREY)) - pinned()(GREY)
    torch.testing.assert_close(near.abs().amax((1, 2, 3)), torch.full((4,), 1e-7).double())
    answers = DIGITS.load()
    low, high = EXACT.images[:1], EXACT.images[1:2]
    assert not torch.equal(answers(low).argmax(1), answers(high).argmax(1))
    for _ in range(30):
        middle = (low + high) / 2
        same = torch.equal(answers(middle).argmax(1), answers(low).argmax(1))
        low, high = (middle, high) if same else (low, middle)
    apart = pinned(AntiAdversary(DIGITS, 2))(torch.cat([low, high]).repeat(2, 1, 1, 1))[:2]
    assert (low - high).abs().max() < 1e-6
    assert (apart[0] - apart[1]).abs().max() > 0.29  # twice 0.15, or not at all, either way


def test_it_leaves_the_image_range_as_published():
    assert pinned()(EXACT.images).min() < 0
    assert PURIFIER.declaration.range == "unbounded"


def test_what_it_asks_of_the_classifier_is_counted():
    with counted() as evaluations:
        pinned()(BATCH.images)
    assert evaluations.count == 3 * len(BATCH)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AntiAdversary(DIGITS, 0), "AntiAdversary.steps .* got 0"),
        (lambda: AntiAdversary(DIGITS, step=0), "AntiAdversary.step .* got 0"),
        (lambda: AntiAdversary(DIGITS, step=math.nan), "AntiAdversary.step .* got nan"),
    ],
)
def test_bad_values_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_images_that_the_classifier_does_not_take_are_refused_before_any_is_purified():
    with pytest.raises(ValueError, match=r"needs images that ConvNet\(checkpoint='digits-classifier'\) takes; got"):
        PURIFIER.pin(NOISE, (3, 32, 32))
