"""Strangers' networks that compute in half precision: products near the exact ones, and said to be so."""

import pytest
import torch
from torch import nn

from purigeom.derivatives import derivatives_told
from purigeom.geometry.agreement import agreement
from purigeom.geometry.chain import Chain, ReplayError
from purigeom.geometry.jacobian import Jacobian
from purigeom.geometry.matrices import normal_vectors
from purigeom.geometry.precision import ROUNDINGS, narrowest
from purigeom.noise import Noise
from purigeom.protocols import Batch
from purigeom.purifiers.wrapped import wrap

NOISE = Noise(0, (2, 3, 5))
IMAGES = (1 + NOISE.uniform_like(torch.zeros(3, 3, 8, 8))) / 2
HALVES = (torch.float16, torch.bfloat16)


def network(dtype=torch.float32):
    torch.manual_seed(0)
    layers = (nn.Conv2d(3, 32, 3, padding=1), nn.GroupNorm(8, 32), nn.SiLU(), nn.Conv2d(32, 3, 3, padding=1))
    return nn.Sequential(*layers, nn.Tanh()).eval().requires_grad_(False).to(dtype)


def within(dtype):
    module = network(dtype)
    return lambda images: module(images.to(dtype)).to(images)


def autocast(dtype):
    module = network()

    def step(images):
        with torch.autocast("cpu", dtype):
            return module(images.float()).to(images)

    return step


MAPS = {f"{way.__name__} {dtype}": (way(dtype), IMAGES) for way in (within, autocast) for dtype in HALVES}
MAPS |= {f"images {dtype}": (network(dtype), IMAGES.to(dtype)) for dtype in HALVES}
EXACT = Jacobian(network(), IMAGES)
VECTORS = normal_vectors(EXACT, NOISE, 6)


@pytest.mark.parametrize(("image_map", "images"), MAPS.values(), ids=MAPS)
def test_half_precision_is_pushed_and_pulled_to_within_its_precision(image_map, images) -> None:
    jacobian = Jacobian(Chain((image_map, image_map)), images)
    exact = Jacobian(Chain((network(), network())), IMAGES)
    for product, of_exact in ((jacobian.push, exact.push), (jacobian.pull, exact.pull)):
        found, expected = product(VECTORS.to(images)), of_exact(VECTORS)
        assert found.dtype == images.dtype
        assert ((found - expected).norm() / expected.norm()) < 0.05
    assert not any(route.whole or route.by_pull for route in jacobian.routes)


@pytest.mark.parametrize(("image_map", "images"), MAPS.values(), ids=MAPS)
def test_half_precision_is_no_fault_of_derivatives(image_map, images) -> None:
    found = agreement(Jacobian(image_map, images), NOISE)
    assert not found.fault
    assert found.rounding in {torch.finfo(dtype).eps for dtype in HALVES}
    assert "agree" in derivatives_told(wrap(image_map, name="half"), Batch(images, None, NOISE.image_ids), NOISE)


@pytest.mark.parametrize("dtype", HALVES)
def test_a_detached_part_of_a_network_in_half_precision_is_found(dtype) -> None:
    image_map = within(dtype)
    for leaving in (lambda images: image_map(images.detach()), torch.no_grad()(image_map)):
        assert agreement(Jacobian(leaving, IMAGES), NOISE).fault


def shape_dependent(images):
    """Sum in an order that depends on how much there is, as wide kernels do."""
    return (images.bfloat16() * (1.01 if type(images).__name__ == "Dual" else 1)).to(images)


def test_a_state_that_drifts_on_a_stack_is_taken_where_narrow_numbers_explain_it_and_said() -> None:
    jacobian = Jacobian(shape_dependent, IMAGES)
    torch.testing.assert_close(jacobian.push(VECTORS), VECTORS, rtol=0.05, atol=0.05)
    (route,) = jacobian.routes
    assert 1e-4 < route.drift < ROUNDINGS * torch.finfo(torch.bfloat16).eps
    batch = Batch(IMAGES, None, NOISE.image_ids)
    assert "drifts by 0.0" in derivatives_told(wrap(shape_dependent, name="drifting"), batch, NOISE)


def test_a_state_that_drifts_without_a_reason_is_differentiated_whole() -> None:
    def drifting(images):
        return images * (1.01 if type(images).__name__ == "Dual" else 1)

    jacobian = Jacobian(drifting, IMAGES)
    torch.testing.assert_close(jacobian.push(VECTORS), VECTORS)
    assert "on a stack the step gives another state" in jacobian.routes[0].whole


def test_a_state_that_changes_from_call_to_call_is_hidden_randomness_in_any_precision() -> None:
    calls = iter(range(100))
    for dtype in (torch.float32, torch.bfloat16):
        wandering = Chain((network(), lambda images, dtype=dtype: (images.to(dtype) + next(calls)).to(images)))
        with pytest.raises(ReplayError, match=r"step 2 .* hides randomness"):
            Jacobian(wandering, IMAGES).push(VECTORS)


@pytest.mark.parametrize("dtype", HALVES)
def test_the_narrowest_numbers_are_those_that_autocast_makes_too(dtype) -> None:
    for image_map in (within(dtype), autocast(dtype)):
        assert narrowest(lambda image_map=image_map: image_map(IMAGES))[1] == torch.finfo(dtype).eps
    assert narrowest(lambda: network()(IMAGES))[1] == torch.finfo(torch.float32).eps
    assert narrowest(lambda: 3) == (3, 0)
