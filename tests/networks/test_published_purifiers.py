"""Published networks inside purifiers: the contract, and derivatives that are the true ones."""

import pickle

import pytest
import torch
from torch.func import jacfwd

from purigeom.contract import verify
from purigeom.geometry.jacobian import Jacobian
from purigeom.noise import Noise
from purigeom.protocols import Batch
from purigeom.purifiers.diffusion.ddim import DDIM, OneShot
from purigeom.purifiers.diffusion.ddpm import DDPM, ReverseOnly
from purigeom.purifiers.diffusion.sde import VPSDE, ProbabilityFlow
from tests.geometry.dual.agreement import on_stacks, ways
from tests.networks.published import KINDS, random_tensors, saved, waves

NOISE = Noise(0, (3, 8))
IMAGES = 0.5 + 0.2 * waves(8)
SHAPE = (3, 8, 8)
BATCH = Batch(IMAGES, None, NOISE.image_ids)
SAMPLERS = {
    "ancestral": lambda network: DDPM(network, depth=60, steps=2, clip=False),
    "reverse only": lambda network: ReverseOnly(network, depth=60, steps=2, clip=False),
    "implicit": lambda network: DDIM(network, depth=60, steps=2, clip=False),
    "one shot": lambda network: OneShot(network, depth=60, clip=False),
    "reverse SDE": lambda network: VPSDE(network, depth=60, steps=2),
    "flow": lambda network: ProbabilityFlow(network, depth=60, steps=2),
}


@pytest.fixture(scope="module", params=KINDS)
def network(request, tmp_path_factory):
    return saved(request.param, tmp_path_factory.mktemp("network"), random_tensors(request.param))


def vectors(name, count=1):
    return torch.stack([NOISE.child(name, index).normal_like(IMAGES).flatten(1) for index in range(count)], -1)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_keeps_the_contract_with_every_kind_of_network(network, sampler) -> None:
    purifier = SAMPLERS[sampler](network)
    verify(purifier, BATCH, NOISE)
    assert purifier.declaration.network == network.checkpoint
    assert pickle.loads(pickle.dumps(purifier)) == purifier


def test_push_and_pull_are_adjoint(network) -> None:
    jacobian = Jacobian(DDPM(network, depth=60, steps=2, clip=False).pin(NOISE, SHAPE), IMAGES)
    cotangents, tangents = vectors("cotangent", 2), vectors("tangent", 2)
    pushed, pulled = jacobian.push(tangents), jacobian.pull(cotangents)
    torch.testing.assert_close((cotangents * pushed).sum(), (pulled * tangents).sum())


def test_products_are_differences_and_torch_s_own_jacobian(network) -> None:
    pinned, tangents = OneShot(network, depth=60, clip=False).pin(NOISE, SHAPE), vectors("tangent")
    pushed = Jacobian(pinned, IMAGES).push(tangents)
    direction, pushed = tangents.reshape(IMAGES.shape), pushed.reshape(IMAGES.shape)
    difference = (pinned(IMAGES + 1e-6 * direction) - pinned(IMAGES - 1e-6 * direction)) / 2e-6
    torch.testing.assert_close(pushed, difference, rtol=1e-5, atol=1e-6)
    along = jacfwd(lambda length: pinned(IMAGES + length * direction))
    torch.testing.assert_close(pushed, along(torch.zeros((), dtype=torch.float64)))


def test_networks_follow_rules_alone(network) -> None:
    predict = network.module(IMAGES.device, IMAGES.dtype)
    tangents = vectors("tangent", 2).movedim(-1, 0).reshape(2, *IMAGES.shape)
    _, taken = on_stacks(lambda state: state - predict(state, 59).sample, IMAGES, tangents)
    assert ways(taken) == {"rule"}, taken


def test_in_bfloat16_products_are_near_the_exact_ones(network) -> None:
    pinned = OneShot(network, depth=60, clip=False).pin(NOISE, SHAPE)
    images, tangents = IMAGES.float(), vectors("tangent").float()
    narrow, exact = (Jacobian(pinned, images, narrow=kind).push(tangents) for kind in (torch.bfloat16, None))
    assert 1e-5 < (narrow - exact).norm() / exact.norm() < 5e-2
