"""What every purifier in the catalogue must do. A new catalogue line is tested with no new test."""

import pickle
from dataclasses import replace

import pytest
import torch

from purigeom.catalog import PURIFIERS
from purigeom.contract import verify
from purigeom.geometry.jacobian import Jacobian
from purigeom.images import Digits
from purigeom.noise import Noise
from purigeom.protocols import Declaration

BATCH = replace(Digits()[:3].load(), images=Digits()[:3].load().images.double())
NOISE = Noise(0, BATCH.image_ids)
SHAPE = (1, 8, 8)
pytestmark = pytest.mark.parametrize("purifier", PURIFIERS.values(), ids=PURIFIERS.keys())


def probes(*names):
    return (NOISE.child(name).normal_like(BATCH.images).flatten(1)[..., None] for name in names)


def test_keeps_shape_range_and_its_own_answer(purifier) -> None:
    """Also: the same noise gives the same images, and no image depends on its batch."""
    verify(purifier, BATCH, NOISE)


def test_push_and_pull_are_adjoint(purifier) -> None:
    """<u, Jv> = <J'u, v>; also fails on hidden randomness, which vmap refuses by default."""
    jacobian = Jacobian(purifier.pin(NOISE, SHAPE), BATCH.images)
    cotangents, tangents = probes("cotangent", "tangent")
    pushed, pulled = jacobian.push(tangents), jacobian.pull(cotangents)
    torch.testing.assert_close((cotangents * pushed).sum(), (pulled * tangents).sum())


def test_the_jacobian_is_what_it_declares(purifier) -> None:
    """Differences agree with the product where it is exact; the product is zero where the map is piecewise constant."""
    inside = 0.5 + 0.2 * NOISE.child("inside").uniform_like(BATCH.images)  # no ties, far from any clipping
    pinned = purifier.pin(NOISE, SHAPE)
    (tangents,) = probes("tangent")
    pushed = Jacobian(pinned, inside).push(tangents)
    if purifier.declaration.differentiability == "piecewise constant":
        assert not pushed.any()
        return
    length = 1e-7
    step = length * tangents.reshape(inside.shape)
    difference = (pinned(inside + step) - pinned(inside - step)) / (2 * length)
    torch.testing.assert_close(pushed.reshape(inside.shape), difference, rtol=1e-3, atol=1e-4)


def test_backward_gives_the_product(purifier) -> None:
    if purifier.declaration.differentiability == "piecewise constant":
        pytest.skip("piecewise constant: there is nothing to pull")
    images = BATCH.images.clone().requires_grad_()
    pinned = purifier.pin(NOISE, SHAPE)
    (cotangents,) = probes("cotangent")
    (pinned(images) * cotangents.reshape(images.shape)).sum().backward()
    pulled = Jacobian(pinned, BATCH.images).pull(cotangents)
    torch.testing.assert_close(images.grad, pulled.reshape(images.shape))


def test_declares_family_and_network(purifier) -> None:
    assert isinstance(purifier.declaration, Declaration)
    assert (purifier.declaration.network is None) == ("UNet" not in repr(purifier))


def test_travels_to_a_worker_and_says_what_it_is(purifier) -> None:
    assert pickle.loads(pickle.dumps(purifier)) == purifier
    assert hash(purifier) == hash(pickle.loads(pickle.dumps(purifier)))
    assert " at 0x" not in repr(purifier)
