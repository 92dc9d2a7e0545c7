"""Claims about a network that computes otherwise: near the plain one, kept apart from it, and differentiable."""

import copy
import pickle

import pytest
import torch
from torch.func import jvp, vjp, vmap

from purigeom.contract import verify
from purigeom.geometry.jacobian import Jacobian
from purigeom.identity import digest, recipe
from purigeom.networks.quick import Quick
from purigeom.networks.unet import UNet
from purigeom.noise import Noise
from purigeom.procedural import Procedural
from purigeom.purifiers.diffusion.ddpm import DDPM
from tests.checkpoints import saved
from tests.networks import published

CPU = torch.device("cpu")
PLAIN = UNet("procedural-ddpm")
BATCH = Procedural(count=3).load()
NOISE = Noise(0, BATCH.image_ids)
SHAPE = (3, 16, 16)
STATES = 2 * BATCH.images - 1
DEVIATION = {"full": 4e-6, "bfloat16": 0.05, "float16": 0.01}
"""Largest relative deviation of a guess and its derivatives: a few machine precisions, gathered in thirty layers."""
SMALL = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))


@torch.no_grad()
def guess(network, level: float = 20, states: torch.Tensor = STATES) -> torch.Tensor:
    return network.module(CPU, states.dtype)(states, level).sample


@pytest.mark.parametrize("precision", DEVIATION)
@pytest.mark.parametrize("level", [20, 50, 200])
def test_the_guess_deviates_by_a_few_roundings_and_keeps_shape_and_type(precision, level) -> None:
    full, quick = guess(PLAIN, level), guess(Quick(PLAIN, precision), level)
    assert quick.shape == full.shape
    assert quick.dtype == full.dtype
    assert (quick - full).norm() < DEVIATION[precision] * full.norm()
    assert precision == "full" or not torch.equal(quick, full)


def test_purified_images_are_those_of_the_plain_network_to_half_a_grey_level() -> None:
    plain, quick = (DDPM(network, 50, 4).pin(NOISE, SHAPE)(BATCH.images) for network in (PLAIN, Quick(PLAIN)))
    assert (plain - quick).abs().mean() < 0.5 / 255


@pytest.mark.parametrize("precision", ["full", "bfloat16"])
def test_it_keeps_the_contract_of_a_purifier(precision) -> None:
    verify(DDPM(Quick(PLAIN, precision), depth=20, steps=2), BATCH, NOISE)


@pytest.mark.parametrize(("precision", "tolerance"), DEVIATION.items())
def test_push_and_pull_are_adjoint(precision, tolerance) -> None:
    """Also, both are those of the plain network, as nearly as its precision allows."""
    pinned = [DDPM(network, depth=20, steps=2).pin(NOISE, SHAPE) for network in (Quick(PLAIN, precision), PLAIN)]
    quick, plain = (Jacobian(one, BATCH.images) for one in pinned)
    cotangents, tangents = (
        NOISE.child(name).normal_like(BATCH.images).flatten(1)[..., None] for name in ("cotangent", "tangent")
    )
    pushed, pulled = quick.push(tangents), quick.pull(cotangents)
    gap = (cotangents * pushed).sum() - (pulled * tangents).sum()
    assert gap.abs() < tolerance * cotangents.norm() * pushed.norm()
    for found, expected in ((pushed, plain.push(tangents)), (pulled, plain.pull(cotangents))):
        assert (found - expected).norm() < tolerance * expected.norm()


@pytest.mark.parametrize("precision", DEVIATION)
def test_torch_s_own_transforms_go_through(precision) -> None:
    predict, plain = (one.module(CPU, torch.float32) for one in (Quick(PLAIN, precision), PLAIN))
    tangents = NOISE.normal_like(STATES)[None]
    products = [
        (
            vmap(lambda tangent, call=call: jvp(lambda x: call(x, 20).sample, (STATES,), (tangent,))[1])(tangents),
            *vmap(vjp(lambda x, call=call: call(x, 20).sample, STATES)[1])(tangents),
        )
        for call in (predict, plain)
    ]
    for found, expected in zip(*products, strict=True):
        assert (found - expected).norm() < DEVIATION[precision] * expected.norm()


def test_an_unknown_precision_is_named() -> None:
    with pytest.raises(ValueError, match=r"one of \('full', 'bfloat16', 'float16'\); got 'int8'"):
        Quick(PLAIN, "int8")


def test_a_quick_network_is_not_quickened_again() -> None:
    with pytest.raises(TypeError, match=r"not quick itself; got Quick\(network=UNet.*'float16'"):
        Quick(Quick(PLAIN, "float16"))


def test_stores_keep_it_apart_from_the_plain_network_whose_weights_it_shares() -> None:
    assert Quick(PLAIN).content() == PLAIN.content()
    assert Quick(PLAIN).checkpoint == PLAIN.checkpoint
    assert torch.equal(Quick(PLAIN).alpha_bars(), PLAIN.alpha_bars())
    networks = [PLAIN, *(Quick(PLAIN, precision) for precision in DEVIATION), Quick(PLAIN, compiled=True)]
    assert len({digest(recipe(DDPM(network, depth=20))) for network in networks}) == len(networks)
    assert pickle.loads(pickle.dumps(Quick(PLAIN))) == Quick(PLAIN)


def test_images_of_another_shape_are_refused_as_the_network_refuses_them() -> None:
    with pytest.raises(ValueError, match="channels of size 16x16; got images of shape"):
        Quick(PLAIN).check((3, 8, 8))


def test_the_shared_network_stays_as_it_is_laid_out(tmp_path) -> None:
    plain = saved(tmp_path)
    shared = plain.module(CPU, torch.float32)
    before = copy.deepcopy(shared.state_dict())
    quick = Quick(plain, "full").module(CPU, torch.float32)
    assert quick.network.conv_in.weight.is_contiguous(memory_format=torch.channels_last)
    assert not quick.network.mid_block.resnets[0].conv1.weight.is_contiguous()
    assert all(weight.is_contiguous() for weight in shared.parameters())
    assert all(torch.equal(weight, before[name]) for name, weight in shared.state_dict().items())


def test_forward_mode_goes_through_the_shared_network_and_copies_no_weights(tmp_path) -> None:
    plain = saved(tmp_path)
    who = Quick(plain, "full").module(CPU, torch.float32)
    shared = plain.module(CPU, torch.float32)
    used = []
    hooks = [
        module.register_forward_pre_hook(lambda *_, name=name: used.append(name))
        for name, module in (("shared", shared), ("laid out anew", who.network))
    ]
    jvp(lambda images: who(images, 3).sample, (SMALL,), (SMALL,))
    vjp(lambda images: who(images, 3).sample, SMALL)
    for hook in hooks:
        hook.remove()
    assert used == ["shared", "laid out anew"]
    assert {weight.data_ptr() for weight in who.plain.parameters()} == {one.data_ptr() for one in shared.parameters()}


@pytest.fixture
def asked(monkeypatch) -> list[tuple[torch.Tensor, object]]:
    """Return what compiled code is asked; it answers with what is not its own for longer than a call."""
    calls = []

    def compiled(network, **options):
        kept = {}

        def call(state, time):
            calls.append((state, time))
            answer = network(state, time)
            answer.sample = kept.setdefault("answer", answer.sample).copy_(answer.sample)
            return answer

        return call

    monkeypatch.setattr(torch, "compile", compiled)
    return calls


def test_only_plain_forward_passes_run_as_compiled_and_get_answers_of_their_own(tmp_path, asked) -> None:
    plain = saved(tmp_path)
    who = Quick(plain, "full", compiled=True)
    first, second = (guess(who, level, SMALL) for level in (3, 30))
    assert len(asked) == 2
    assert all(isinstance(time, torch.Tensor) for _, time in asked), "a number would be compiled in"
    for found, level in ((first, 3), (second, 30)):
        torch.testing.assert_close(found, guess(plain, level, SMALL))
    predict = who.module(CPU, torch.float32)
    leaf = SMALL.clone().requires_grad_()
    predict(leaf, 3).sample.sum().backward()
    with torch.no_grad():
        jvp(lambda images: predict(images, 3).sample, (SMALL,), (SMALL,))
        vjp(lambda images: predict(images, 3).sample, SMALL)[1](SMALL)
    assert leaf.grad.any()
    assert len(asked) == 2


def test_a_compiled_network_s_jacobian_is_the_plain_one_s(tmp_path, asked) -> None:
    plain, images = saved(tmp_path), SMALL.double()
    noise = Noise(0, (0, 1))
    tangents = noise.normal_like(images).flatten(1)[..., None]
    quick, expected = (
        Jacobian(DDPM(network, depth=20, steps=2).pin(noise, (1, 8, 8)), images)
        for network in (Quick(plain, "full", compiled=True), plain)
    )
    assert quick.states
    states_asked = len(asked)
    torch.testing.assert_close(quick.push(tangents), expected.push(tangents))
    torch.testing.assert_close(quick.pull(tangents), expected.pull(tangents))
    assert len(asked) == states_asked


@pytest.mark.parametrize("name", published.KINDS)
def test_networks_that_ask_for_a_number_as_time_are_not_compiled(name, tmp_path, asked) -> None:
    plain = published.saved(name, tmp_path)
    with pytest.raises(ValueError, match=rf"time index as a tensor.*{type(plain).__name__}\(.*asks for a number"):
        Quick(plain, "full", compiled=True).module(CPU, torch.float32)
    states = published.waves(8).float()
    torch.testing.assert_close(guess(Quick(plain, "full"), 3, states), guess(plain, 3, states))
    assert asked == []


def test_all_time_indices_share_what_was_compiled(tmp_path, monkeypatch) -> None:
    graphs, compile_ = [], torch.compile

    def kept(graph, inputs):
        graphs.append(graph)
        return graph.forward

    monkeypatch.setattr(torch, "compile", lambda network, **_: compile_(network, backend=kept, dynamic=False))
    plain = saved(tmp_path)
    who = Quick(plain, "full", compiled=True)
    torch.testing.assert_close(guess(who, 1, SMALL), guess(plain, 1, SMALL))
    compiled = len(graphs)
    for level in range(2, 22):
        torch.testing.assert_close(guess(who, level, SMALL), guess(plain, level, SMALL))
    assert len(graphs) == compiled > 0
