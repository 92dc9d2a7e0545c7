"""Claims about reconstruction by an autoencoder; those of every purifier that differentiates, on a small network."""

import json
import pickle

import pytest
import torch
from safetensors.torch import save_file

from purigeom.contract import verify
from purigeom.cost import counted
from purigeom.geometry.jacobian import Jacobian
from purigeom.networks.autoencoder import Autoencoder, autoencoder
from purigeom.noise import Noise
from purigeom.procedural import Procedural
from purigeom.protocols import Batch
from purigeom.purifiers.reconstruction import Reconstruction

SETTINGS = {"channels": 3, "size": 16, "widths": [4, 6], "code": 5}
BATCH = Procedural(count=3).load()
NOISE = Noise(0, BATCH.image_ids)
SHAPE = (3, 16, 16)


@pytest.fixture
def purifier(tmp_path) -> Reconstruction:
    """Return a network whose answers leave [0, 1] on both sides, so that there is something to clip."""
    torch.manual_seed(0)
    network = autoencoder(**SETTINGS)
    with torch.no_grad():
        network[-1].weight.mul_(60)
        network[-1].bias.zero_()
    save_file(network.state_dict(), tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps(SETTINGS))
    return Reconstruction(Autoencoder(str(tmp_path)))


def test_it_keeps_the_contract(purifier) -> None:
    verify(purifier, BATCH, NOISE)
    assert purifier.declaration.family == "autoencoder"
    assert purifier.declaration.network == purifier.network.checkpoint
    assert pickle.loads(pickle.dumps(purifier)) == purifier


def test_what_leaves_the_image_range_is_clipped(purifier) -> None:
    decoded = purifier.network.module(BATCH.images.device, BATCH.images.dtype)(BATCH.images)
    purified = purifier.pin(NOISE, SHAPE)(BATCH.images)
    assert decoded.min() < 0
    assert decoded.max() > 1
    assert torch.equal(purified, decoded.clamp(0, 1))


def test_there_is_no_randomness_in_it(purifier) -> None:
    one, other = (purifier.pin(Noise(seed, BATCH.image_ids), SHAPE)(BATCH.images) for seed in (0, 1))
    assert torch.equal(one, other)


def test_push_and_pull_are_adjoint(purifier) -> None:
    exact = Batch(BATCH.images.double(), BATCH.labels, BATCH.image_ids)
    jacobian = Jacobian(purifier.pin(NOISE, SHAPE), exact.images)
    cotangents, tangents = (
        NOISE.child(name).normal_like(exact.images).flatten(1)[..., None] for name in ("cotangent", "tangent")
    )
    pushed, pulled = jacobian.push(tangents), jacobian.pull(cotangents)
    assert pushed.any()
    torch.testing.assert_close((cotangents * pushed).sum(), (pulled * tangents).sum())


def test_every_image_is_one_evaluation(purifier) -> None:
    with counted() as evaluations:
        purifier.pin(NOISE, SHAPE)(BATCH.images)
    assert evaluations.count == len(BATCH)


def test_images_of_another_shape_are_named_before_anything_is_computed(purifier) -> None:
    with pytest.raises(ValueError, match=r"takes images of shape \(3, 16, 16\); got \(3, 8, 8\)"):
        purifier.pin(NOISE, (3, 8, 8))
