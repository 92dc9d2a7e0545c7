"""What every purifier in the catalogue must do. A new catalogue line is tested with no new test."""

import pickle
from dataclasses import replace

import pytest
import torch

from purigeom.catalog import CIFAR10_PURIFIERS, PURIFIERS
from purigeom.contract import verify
from purigeom.geometry.jacobian import Jacobian
from purigeom.images import Digits
from purigeom.noise import Noise
from purigeom.protocols import Declaration
from purigeom.purifiers.gaussian import GaussianBlur

DIGITS = Digits()[:3].load()
NOISE = Noise(0, DIGITS.image_ids)
COLOURED = GaussianBlur(1.0).pin(NOISE, (3, 32, 32))(
    NOISE.child("colour").uniform_like(torch.zeros(3, 3, 32, 32)) / 2 + 0.5
)
"""Soft clouds of colour, for purifiers of such images."""
COLOURFUL = {
    name: replace(one, **{"steps": 2} if hasattr(one, "steps") else {}) for name, one in CIFAR10_PURIFIERS.items()
}
"""In two steps: what holds of every step holds of many."""
EVERYONE = {**PURIFIERS, **COLOURFUL}
pytestmark = pytest.mark.parametrize("purifier", EVERYONE.values(), ids=EVERYONE.keys())


@pytest.fixture
def batch(purifier):
    images = COLOURED if (purifier.declaration.network or "").startswith("cifar10") else DIGITS.images
    return replace(DIGITS, images=images.double())


def probes(batch, *names):
    return (NOISE.child(name).normal_like(batch.images).flatten(1)[..., None] for name in names)


def shape(batch):
    return tuple(batch.images.shape[1:])


def test_keeps_shape_range_and_its_own_answer(purifier, batch) -> None:
    """Also: the same noise gives the same images, and no image depends on its batch."""
    verify(purifier, batch, NOISE)


def test_push_and_pull_are_adjoint(purifier, batch) -> None:
    """<u, Jv> = <J'u, v>; also fails on hidden randomness, which vmap refuses by default."""
    jacobian = Jacobian(purifier.pin(NOISE, shape(batch)), batch.images)
    cotangents, tangents = probes(batch, "cotangent", "tangent")
    pushed, pulled = jacobian.push(tangents), jacobian.pull(cotangents)
    torch.testing.assert_close((cotangents * pushed).sum(), (pulled * tangents).sum())


def test_the_jacobian_is_what_it_declares(purifier, batch) -> None:
    """Differences agree with the product where it is exact; the product is zero where the map is piecewise constant."""
    inside = 0.5 + 0.2 * NOISE.child("inside").uniform_like(batch.images)  # no ties, far from any clipping
    pinned = purifier.pin(NOISE, shape(batch))
    (tangents,) = probes(batch, "tangent")
    pushed = Jacobian(pinned, inside).push(tangents)
    if purifier.declaration.differentiability == "piecewise constant":
        assert not pushed.any()
        return
    length = 1e-7
    step = length * tangents.reshape(inside.shape)
    difference = (pinned(inside + step) - pinned(inside - step)) / (2 * length)
    torch.testing.assert_close(pushed.reshape(inside.shape), difference, rtol=1e-3, atol=1e-4)


def test_backward_gives_the_product(purifier, batch) -> None:
    if purifier.declaration.differentiability == "piecewise constant":
        pytest.skip("piecewise constant: there is nothing to pull")
    images = batch.images.clone().requires_grad_()
    pinned = purifier.pin(NOISE, shape(batch))
    (cotangents,) = probes(batch, "cotangent")
    (pinned(images) * cotangents.reshape(images.shape)).sum().backward()
    pulled = Jacobian(pinned, batch.images).pull(cotangents)
    torch.testing.assert_close(images.grad, pulled.reshape(images.shape))


def test_declares_family_and_network(purifier) -> None:
    assert isinstance(purifier.declaration, Declaration)
    assert (purifier.declaration.network is None) == ("checkpoint=" not in repr(purifier))


def test_travels_to_a_worker_and_says_what_it_is(purifier) -> None:
    assert pickle.loads(pickle.dumps(purifier)) == purifier
    assert hash(purifier) == hash(pickle.loads(pickle.dumps(purifier)))
    assert " at 0x" not in repr(purifier)
