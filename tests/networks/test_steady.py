"""Claims about networks of a fixed number of rows: the plain ones' answers, and no row depends on its company."""

import pickle

import pytest
import torch
from torch.func import grad, jvp, vjp, vmap

from purigeom.catalog import PURIFIERS
from purigeom.contract import verify
from purigeom.geometry.jacobian import Jacobian
from purigeom.identity import digest, recipe
from purigeom.images import Digits
from purigeom.networks.classifier import ConvNet
from purigeom.networks.quick import Quick
from purigeom.networks.steady import Steady, SteadyClassifier
from purigeom.networks.unet import UNet
from purigeom.noise import Noise
from purigeom.procedural import Procedural
from purigeom.purifiers.bit_depth import BitDepth
from purigeom.purifiers.composed import Compose, Repeat
from purigeom.purifiers.diffusion.ddpm import DDPM
from purigeom.purifiers.precision import quickened, steadied
from purigeom.purifiers.wrapped import wrap
from purigeom.rebuilding import rebuilt

CPU = torch.device("cpu")
PLAIN = UNet("procedural-ddpm")
BATCH = Procedural(count=8).load()
NOISE = Noise(0, BATCH.image_ids)
STATES = 2 * BATCH.images - 1
TANGENTS = torch.stack([NOISE.child(name).normal_like(STATES) for name in ("first", "second")])
ROUNDING = 3e-6
"""Largest relative deviation from the plain network and its derivatives, second ones included."""
SOME = [3, 1]
"""Images that are asked about apart from the others: in other places, and with other neighbours."""


def asked(network):
    return lambda states: network.module(CPU, states.dtype)(states, 20).sample


def squared(network):
    return lambda states: asked(network)(states).square().sum()


def pulled_twice(network):
    return grad(lambda states: grad(squared(network))(states).pow(3).sum())


DERIVATIVES = {
    "value": lambda who, states, tangents: asked(who)(states)[None],
    "gradient": lambda who, states, tangents: grad(squared(who))(states)[None],
    "pulled together": lambda who, states, tangents: vmap(vjp(asked(who), states)[1])(tangents)[0],
    "pushed together": lambda who, states, tangents: vmap(lambda one: jvp(asked(who), (states,), (one,))[1])(tangents),
    "slope of a gradient": lambda who, states, tangents: pulled_twice(who)(states)[None],
    "gradient pushed": lambda who, states, tangents: jvp(grad(squared(who)), (states,), (tangents[0],))[1][None],
}


@pytest.mark.parametrize("name", DERIVATIVES)
def test_answers_and_derivatives_are_those_of_the_plain_network_whoever_shares_the_batch(name) -> None:
    ask = DERIVATIVES[name]
    with torch.no_grad():
        plain, together = (ask(network, STATES, TANGENTS) for network in (PLAIN, Steady(PLAIN, 3)))
        apart = ask(Steady(PLAIN, 3), STATES[SOME], TANGENTS[:, SOME])
    assert (together - plain).norm() < ROUNDING * plain.norm()
    assert torch.equal(apart, together[:, SOME])


def test_without_it_a_row_s_numbers_do_depend_on_their_company() -> None:
    with torch.no_grad():
        together, apart = asked(PLAIN)(STATES), asked(PLAIN)(STATES[SOME])
    assert not torch.equal(apart, together[SOME])


def test_rows_that_fill_a_batch_up_add_nothing_to_a_gradient() -> None:
    leaf = STATES[:1].clone().requires_grad_()
    asked(Steady(PLAIN, 4))(leaf).sum().backward()
    alone = grad(lambda states: asked(PLAIN)(states).sum())(STATES[:1])
    assert (leaf.grad - alone).norm() < ROUNDING * alone.norm()


def test_a_vector_s_product_with_a_jacobian_depends_on_no_other_vector_and_no_memory() -> None:
    vectors = torch.stack([one.flatten(1) for one in (*TANGENTS, STATES)], -1)
    purifier = DDPM(Steady(PLAIN, 3), depth=20, steps=2)

    def jacobian(places, memory=None) -> Jacobian:
        return Jacobian(purifier.pin(NOISE[places], (3, 16, 16)), BATCH.images[places], memory=memory)

    whole, part = jacobian(slice(0, 8)), jacobian(slice(1, 3), memory=1)
    assert whole.vectors_at_once() >= 3 > part.vectors_at_once()
    assert not any(way.whole or way.by_pull for way in whole.routes)
    for product in (Jacobian.push, Jacobian.pull):
        assert torch.equal(product(part, vectors[1:3, :, :2]), product(whole, vectors)[1:3, :, :2])


def test_push_and_pull_are_adjoint() -> None:
    jacobian = Jacobian(DDPM(Steady(PLAIN, 3), depth=20, steps=2).pin(NOISE, (3, 16, 16)), BATCH.images)
    tangents, cotangents = (one.flatten(1)[..., None] for one in TANGENTS)
    pushed, pulled = jacobian.push(tangents), jacobian.pull(cotangents)
    gap = (cotangents * pushed).sum() - (pulled * tangents).sum()
    assert gap.abs() < ROUNDING * cotangents.norm() * pushed.norm()


@pytest.mark.parametrize("name", ["digits-ddpm", "digits-autoencoder", "digits-flow", "digits-langevin", "digits-dda"])
def test_it_keeps_the_contract_of_a_purifier(name) -> None:
    batch = Digits()[:3].load()
    verify(steadied(PURIFIERS[name], 2), batch, Noise(0, batch.image_ids))


@pytest.mark.parametrize("name", ["digits-autoencoder", "digits-flow", "digits-langevin", "digits-anti-adversary"])
def test_other_networks_of_purifiers_are_steady_too(name) -> None:
    batch = Digits()[:5].load()
    noise, purifier = Noise(0, batch.image_ids), steadied(PURIFIERS[name], 3)
    whole, part = (purifier.pin(noise[some], (1, 8, 8))(batch.images[some]) for some in (slice(0, 5), slice(3, 5)))
    assert torch.equal(whole[3:5], part)


def test_a_classifier_s_logits_are_those_of_the_plain_one_and_no_image_s_depend_on_others() -> None:
    images, plain = Digits()[:7].load().images, ConvNet("digits-classifier")
    logits, steady = plain.load()(images), SteadyClassifier(plain, 4).load()
    torch.testing.assert_close(steady(images), logits)
    assert torch.equal(steady(images[3:5]), steady(images)[3:5])
    assert steady(images[:0]).shape == (0, 10)


def test_a_quick_network_can_be_steady_in_either_order() -> None:
    purifier = DDPM(PLAIN, depth=20, steps=2)
    found = steadied(quickened(purifier, "float16"), 3)
    assert found.network == Steady(Quick(PLAIN, "float16"), 3)
    assert quickened(steadied(purifier, 3), "float16") == found
    assert found.network.rounding == Quick(PLAIN, "float16").rounding
    whole, part = (asked(found.network)(STATES[some]) for some in (slice(0, 8), slice(3, 5)))
    assert torch.equal(whole[3:5], part)


def test_every_network_in_a_purifier_is_steady_and_nothing_else_changes() -> None:
    plain, steady = (DDPM(network, depth=20) for network in (PLAIN, Steady(PLAIN, 8)))
    purifier, expected = (Repeat(Compose((one, BitDepth())), 2) for one in (plain, steady))
    assert steadied(purifier, 8) == expected


def test_stores_keep_it_apart_from_the_plain_network_whose_weights_it_shares() -> None:
    networks = [PLAIN, Steady(PLAIN, 8), Steady(PLAIN, 16), Steady(Quick(PLAIN), 8)]
    assert len({digest(recipe(DDPM(network, depth=20))) for network in networks}) == len(networks)
    assert Steady(PLAIN, 8).content() == PLAIN.content()
    assert Steady(PLAIN, 8).checkpoint == PLAIN.checkpoint
    for described in (steadied(PURIFIERS["digits-autoencoder"], 8), SteadyClassifier(ConvNet("digits-classifier"), 8)):
        assert rebuilt(recipe(described)) == pickle.loads(pickle.dumps(described)) == described


@pytest.mark.parametrize("rows", [0, -1, 2.0, True])
def test_a_number_of_rows_that_is_none_is_named(rows) -> None:
    with pytest.raises((ValueError, TypeError), match=r"rows must be a whole number of at least 1; got"):
        steadied(DDPM(PLAIN, depth=20), rows)
    with pytest.raises((ValueError, TypeError), match=r"Steady.rows must be a whole number of at least 1; got"):
        Steady(PLAIN, rows)


@pytest.mark.parametrize("purifier", [BitDepth(), Repeat(BitDepth(), 2), DDPM(Steady(PLAIN, 8), depth=20)])
def test_a_purifier_without_a_network_to_steady_is_named(purifier) -> None:
    with pytest.raises(ValueError, match=r"8 rows needs a purifier with a network .*; got \w+\("):
        steadied(purifier, 8)


@pytest.mark.parametrize("name", ["digits-soap", "digits-maep", "digits-adp"])
def test_a_network_that_it_does_not_reach_is_named(name) -> None:
    with pytest.raises(TypeError, match=r"\(checkpoint='digits-\w+.*as many rows as there are\. Leave the fixed"):
        steadied(PURIFIERS[name], 8)


def test_a_stranger_s_module_beside_a_network_is_named() -> None:
    stranger = wrap(torch.nn.Conv2d(3, 3, 1).eval())
    with pytest.raises(TypeError, match=r"Wrapped\(name='Conv2d'.*computes as many rows as there are"):
        steadied(Compose((stranger, DDPM(PLAIN, depth=20))), 8)


def test_a_steady_network_is_made_neither_steady_again_nor_quick_from_outside() -> None:
    with pytest.raises(TypeError, match=r"Steady needs what is not steady itself; got Steady\("):
        Steady(Steady(PLAIN, 8), 8)
    with pytest.raises(TypeError, match=r"not steady and not quick itself; got Steady\("):
        Quick(Steady(PLAIN, 8))
