"""Claims about energies, scores and velocities by name: what they answer, and what does not fit."""

import json

import pytest
import torch
from torch.func import grad, jvp, vjp

from purigeom.cost import counted
from purigeom.networks.energy import EnergyNetwork, energy
from purigeom.networks.score import ScoreNetwork, score
from purigeom.networks.velocity import Velocity
from purigeom.training.saving import saved

CPU = torch.device("cpu")
IMAGES = torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
SHAPE = {"channels": 1, "size": 8}
KINDS = {
    "energy": (EnergyNetwork, energy, {**SHAPE, "widths": [4, 6], "activation": "silu"}),
    "score": (ScoreNetwork, score, {**SHAPE, "width": 4, "blocks": 2}),
}
everywhere = pytest.mark.parametrize("kind", KINDS)


def kept(folder, kind, **changes):
    named, build, settings = KINDS[kind]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        saved(folder, build(**{**settings, **changes}), {**settings, **changes})
    return named(str(folder))


@everywhere
def test_an_image_is_answered_alike_in_any_company_and_type(kind, tmp_path) -> None:
    network = kept(tmp_path, kind).module(CPU, torch.float64)
    torch.testing.assert_close(network(IMAGES)[:1], network(IMAGES[:1]))
    narrow = kept(tmp_path, kind).module(CPU, torch.float32)(IMAGES.float())
    torch.testing.assert_close(narrow, network(IMAGES).float(), rtol=1e-4, atol=1e-5)


@everywhere
def test_products_go_through_both_ways(kind, tmp_path) -> None:
    network = kept(tmp_path, kind).module(CPU, torch.float64)
    tangent = torch.rand_like(IMAGES)
    answer, pushed = jvp(network, (IMAGES,), (tangent,))
    cotangent = torch.rand_like(answer)
    (pulled,) = vjp(network, IMAGES)[1](cotangent)
    assert pushed.any()
    torch.testing.assert_close((cotangent * pushed).sum(), (pulled * tangent).sum())


@everywhere
def test_images_that_do_not_fit_are_refused_by_name(kind, tmp_path) -> None:
    who = kept(tmp_path, kind)
    who.check((1, 8, 8))
    with pytest.raises(ValueError, match=rf"{type(who).__name__}\('.*'\) takes images of shape \(1, 8, 8\); got"):
        who.check((3, 8, 8))


@everywhere
def test_settings_decide_the_digest_and_must_be_the_network_s(kind, tmp_path) -> None:
    who = kept(tmp_path, kind)
    before = who.content()
    (tmp_path / "config.json").write_text(json.dumps({**SHAPE, "unknown": 1}))
    assert who.content() != before
    with pytest.raises(ValueError, match=rf"must hold the settings of `{kind}`"):
        who.module(CPU, torch.float32)


def test_the_published_energy_has_the_published_layers() -> None:
    """3x3 to 32, then 4x4 halving to 64, 128 and 256, and 4x4 to one number."""
    network = energy(3, 32, [32, 64, 128, 256])
    shapes = [tuple(layer.weight.shape) for layer in network if isinstance(layer, torch.nn.Conv2d)]
    assert shapes == [(32, 3, 3, 3), (64, 32, 4, 4), (128, 64, 4, 4), (256, 128, 4, 4), (1, 256, 4, 4)]
    assert network(torch.zeros(2, 3, 32, 32)).shape == (2,)
    assert {layer.negative_slope for layer in network if isinstance(layer, torch.nn.LeakyReLU)} == {0.05}


@pytest.mark.parametrize(("activation", "bends"), [("leaky relu", False), ("silu", True)])
def test_only_a_smooth_energy_has_second_derivatives(activation, bends, tmp_path) -> None:
    network = kept(tmp_path, "energy", activation=activation).module(CPU, torch.float64)
    slope = grad(lambda images: network(images).sum())
    curvature = jvp(slope, (IMAGES,), (torch.rand_like(IMAGES),))[1]
    assert slope(IMAGES).any()
    assert curvature.any() == bends


def test_an_energy_that_cannot_be_halved_or_bent_is_named() -> None:
    with pytest.raises(ValueError, match=r"An energy with 3 widths halves images 2 times; got size 10"):
        energy(1, 10, [4, 4, 4])
    with pytest.raises(ValueError, match=r"The activation of an energy must be one of .*; got 'relu'"):
        energy(1, 8, [4], "relu")


def test_a_score_counts_what_it_is_asked(tmp_path) -> None:
    who = kept(tmp_path, "score")
    scores = who.scores((1, 8, 8))
    with counted() as evaluations:
        assert torch.equal(scores(IMAGES), who.module(CPU, torch.float64)(IMAGES))
    assert evaluations.count == 3
    with pytest.raises(ValueError, match=r"ScoreNetwork\('.*'\) takes images"):
        who.scores((1, 4, 4))


def test_a_velocity_is_a_unet_without_a_schedule() -> None:
    """One with a schedule would pass for a guess of noise."""
    velocity = Velocity("digits-ddpm")
    assert not hasattr(velocity, "alpha_bars")
    assert velocity.module(CPU, torch.float64)(IMAGES, 500).sample.shape == IMAGES.shape
    with pytest.raises(ValueError, match="takes 1 and returns 1 channels"):
        velocity.check((3, 8, 8))
