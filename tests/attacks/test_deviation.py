"""DiffAttack: its loss against closed forms, its gradient against the full graph, its walk against PGD."""

from dataclasses import replace

import pytest
import torch

from purigeom.attacks.deviating import Deviated, Deviating
from purigeom.attacks.deviation import DiffAttack
from purigeom.attacks.pgd import PGD
from purigeom.catalog import CLASSIFIERS, DIGITS_UNET
from purigeom.defence.defended import Defended
from purigeom.defence.gradients import BPDA, FullGraph, Surrogate, Withheld
from purigeom.defence.judge import correct
from purigeom.defence.knowledge import EOT, Fixed, Fresh, Unaware
from purigeom.defence.target import Target
from purigeom.geometry.memory import peak_bytes
from purigeom.images import Digits
from purigeom.noise import Noise
from purigeom.protocols import Batch
from purigeom.purifiers.composed import Compose, Repeat
from purigeom.purifiers.diffusion.ddim import DDIM, OneShot
from purigeom.purifiers.diffusion.ddpm import DDPM, ReverseOnly
from purigeom.purifiers.diffusion.process import Denoising, respaced
from purigeom.purifiers.diffusion.sde import VPSDE, ProbabilityFlow
from purigeom.purifiers.gaussian import GaussianBlur, GaussianNoise
from tests.attacks.models import (
    BATCH,
    IMAGES,
    NOISE,
    Model,
    assert_alone_as_among_others,
    assert_in_ball,
    curved,
    target,
)
from tests.purifiers.test_diffusion import GaussianPrior

SHAPE = (1, 8, 8)
DIFFUSION = DDPM(DIGITS_UNET, 60, 4)
CHEAP = DDPM(GaussianPrior(0.3), 60, 4)
LEVELLED = {
    "ddpm": DIFFUSION,
    "ddpm unclipped, a level too deep": DDPM(DIGITS_UNET, 60, 4, clip=False, level_offset=1),
    "ddim": DDIM(DIGITS_UNET, 60, 4),
    "one-shot": OneShot(DIGITS_UNET, 60),
    "vp-sde": VPSDE(DIGITS_UNET, 60, 4),
    "probability flow": ProbabilityFlow(DIGITS_UNET, 60, 4),
    "twice": Repeat(DDPM(DIGITS_UNET, 30, 2), 2),
    "after a blur": Compose((GaussianBlur(0.7), DDIM(DIGITS_UNET, 60, 3))),
}


def deviation(purifier, images=IMAGES, noise=NOISE, share=1.0, weighting="equal"):
    return Deviating(purifier, NOISE.child("steps"), share, weighting).pin(noise, SHAPE)(images)[:, -1]


def seen(attack, aim):
    return attack._seen(aim, SHAPE, NOISE.child("steps"))


@pytest.mark.parametrize("share", [1 / 3, 1.0])
@pytest.mark.parametrize("purifier", LEVELLED.values(), ids=LEVELLED.keys())
def test_its_gradient_is_that_of_the_whole_graph(purifier, share) -> None:
    attack = DiffAttack(share=share, weight=3.0)
    loss = attack._loss(BATCH)
    exact, whole = (
        seen(attack, target(curved, purifier, gradient=gradient)).slope(IMAGES, loss)
        for gradient in (None, FullGraph())
    )
    torch.testing.assert_close(exact[0], whole[0], rtol=1e-10, atol=0)
    assert (exact[1] - whole[1]).abs().max() <= 1e-10 * whole[1].abs().max()


def test_its_gradient_is_that_of_the_loss_written_out() -> None:
    """The paper's formula with autograd's graph, from levels found without the purifier's own."""
    bars, levels = DIGITS_UNET.alpha_bars().tolist(), respaced(60, 4)
    configuration = target().configuration
    points = IMAGES.clone().requires_grad_()
    states = DIFFUSION.pin(configuration, SHAPE).states(points)
    forward = configuration.child("forward").normal_like(IMAGES)
    distances = []
    for state, (_, lower) in zip(states[2:-1], levels, strict=True):
        signal = 1.0 if lower is None else bars[lower]
        noised = signal**0.5 * (2 * points - 1) + (1 - signal) ** 0.5 * forward
        distances.append((state - noised).square().flatten(1).mean(1))
    classified = torch.nn.functional.cross_entropy(curved(states[-1]), BATCH.labels, reduction="none")
    losses = classified + 0.7 * torch.stack(distances).mean(0)
    (gradient,) = torch.autograd.grad(losses.sum(), points)
    attack = DiffAttack(share=1.0, weight=0.7)
    found, slope = seen(attack, target(curved, DIFFUSION)).slope(IMAGES, attack._loss(BATCH))
    torch.testing.assert_close(found, losses.detach(), rtol=1e-10, atol=0)
    assert (slope - gradient).abs().max() <= 1e-10 * gradient.abs().max()


def test_the_deviation_of_a_point_prior_is_known() -> None:
    """DDIM, told that all images are grey, keeps the noise's direction: every state is a multiple of the first."""
    prior, depth = GaussianPrior(0.0), 60
    bars = prior.alpha_bars().tolist()
    first = bars[depth - 1]
    expected = torch.zeros(())
    for _, lower in respaced(depth, 4):
        signal = 1.0 if lower is None else bars[lower]
        expected = expected + (((1 - signal) / (1 - first) * first) ** 0.5 - signal**0.5) ** 2 / 4
    squares = (2 * IMAGES - 1).square().flatten(1).mean(1)
    torch.testing.assert_close(deviation(DDIM(prior, depth, 4, clip=False)), expected * squares)
    grey = torch.full_like(IMAGES, 0.5)
    assert deviation(DDIM(prior, depth, 4, clip=False), grey).abs().max() < 1e-12


@pytest.mark.parametrize("sampler", [VPSDE, ProbabilityFlow])
def test_the_levels_of_continuous_time_are_those_of_the_linear_schedule(sampler) -> None:
    """From depth 60 of 1000 in four equal steps down to 1e-5, with rates from 0.1 to 20."""
    steps = sampler(GaussianPrior(0.3), 60, 4).pin(NOISE, SHAPE).steps[1:-1]
    times = torch.linspace(0.06, 1e-5, 5, dtype=torch.float64)[1:]
    expected = torch.exp(-0.1 * times - 19.9 * times**2 / 2)
    levels = torch.tensor([step.signal for step in steps], dtype=torch.float64)
    torch.testing.assert_close(levels, expected, rtol=1e-4, atol=0)


def test_the_states_of_the_flow_have_the_levels_they_say() -> None:
    """On a Gaussian prior the flow scales states by the ratio of the deviations that their levels imply."""
    prior = GaussianPrior(0.3)
    chain = ProbabilityFlow(prior, 200, 50).pin(NOISE, SHAPE)
    states = chain.states(IMAGES)
    first = prior.alpha_bars()[199].item()
    for step, state in zip(chain.steps[1:-1], states[2:-1], strict=True):
        assert isinstance(step, Denoising)
        scale = ((step.signal * 0.3 + 1 - step.signal) / (first * 0.3 + 1 - first)) ** 0.5
        assert (state - scale * states[1]).abs().max() < 0.02


def test_the_walk_finds_the_furthest_deviation() -> None:
    """Of a point prior L_dev grows with every pixel's distance from grey, and the purified image says nothing."""
    away = torch.where(IMAGES > 0.5, IMAGES + 0.1, IMAGES - 0.1)
    aim = target(curved, DDIM(GaussianPrior(0.0), 60, 4, clip=False))
    found = DiffAttack(20, relative_step=0.3)(aim, replace(BATCH, images=away), NOISE, 0.05)
    torch.testing.assert_close(found, away + 0.05 * (away - 0.5).sign())


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("knowledge", [Fixed(), EOT(3), EOT(2, "logits")])
def test_without_weight_it_is_pgd(norm, knowledge) -> None:
    attacks = DiffAttack(5, norm, 0.3, restarts=2, weight=0.0), PGD(5, norm, 0.3, restarts=2)
    found, walked = (attack(target(curved, CHEAP, knowledge), BATCH, NOISE, 0.2) for attack in attacks)
    torch.testing.assert_close(found, walked, rtol=0, atol=1e-9)


def test_a_third_of_the_steps_counts_and_every_image_has_its_own() -> None:
    purifier = DDPM(DIGITS_UNET, 60, 9)
    steps = purifier.pin(NOISE, SHAPE).steps
    weights = [
        Deviating(purifier, NOISE.child("steps", restart), 1 / 3, "equal")._weights(steps, NOISE) for restart in (0, 1)
    ]
    for drawn in weights:
        torch.testing.assert_close(drawn.sum(1), torch.ones(6, dtype=torch.float64))
        assert ((drawn > 0).sum(1) == 3).all()
        assert len({tuple(row) for row in (drawn > 0).tolist()}) > 1
    assert not torch.equal(*weights)


def test_sampled_steps_average_to_all_of_them() -> None:
    purifier = DDIM(GaussianPrior(0.1), 60, 6)
    many = [
        Deviating(purifier, NOISE.child("steps", draw), 1 / 3, "equal").pin(NOISE, SHAPE)(IMAGES)[:, -1]
        for draw in range(100)
    ]
    spread = torch.stack(many).std(0) / 10
    assert ((torch.stack(many).mean(0) - deviation(purifier)).abs() < 4 * spread).all()


def test_a_weighting_by_signal_counts_clean_states_most() -> None:
    steps = DIFFUSION.pin(NOISE, SHAPE).steps
    weights = Deviating(DIFFUSION, NOISE, 1.0, "signal")._weights(steps, NOISE)
    signals = [*(DIGITS_UNET.alpha_bars()[lower].item() for _, lower in respaced(60, 4)[:-1]), 1.0]
    torch.testing.assert_close(weights[0], torch.tensor(signals, dtype=torch.float64) / 4)


@pytest.mark.parametrize("purifier", [GaussianNoise(0.1), ReverseOnly(DIGITS_UNET, 60, 4)])
def test_a_purifier_that_says_no_levels_is_refused_by_name(purifier) -> None:
    with pytest.raises(ValueError, match=rf"signal level of every state .* got {type(purifier).__name__}\("):
        DiffAttack()(target(curved, purifier), BATCH, NOISE, 0.1)


@pytest.mark.parametrize("gradient", [BPDA(), Withheld()])
def test_gradients_that_do_not_see_the_steps_are_refused(gradient) -> None:
    with pytest.raises(ValueError, match=r"it needs Exact\(\), FullGraph\(\) or Surrogate\(\)"):
        DiffAttack()(target(curved, DIFFUSION, gradient=gradient), BATCH, NOISE, 0.1)


def test_an_attacker_who_does_not_see_the_purifier_is_refused() -> None:
    with pytest.raises(ValueError, match=r"attacker with Unaware\(\) does not see"):
        DiffAttack()(target(curved, DIFFUSION, Unaware()), BATCH, NOISE, 0.1)


def test_a_surrogate_s_states_are_compared_at_their_own_levels() -> None:
    coarse, fine = (
        DiffAttack(3)(target(curved, purifier, gradient=gradient), BATCH, NOISE, 0.1)
        for purifier, gradient in ((replace(CHEAP, steps=2), None), (CHEAP, Surrogate(2)))
    )
    assert torch.equal(coarse, fine)


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("radius", [0.0, 0.05, 0.7])
def test_it_stays_in_its_ball_and_in_range(norm, radius) -> None:
    assert_in_ball(DiffAttack(3, norm, 0.5)(target(curved, CHEAP), BATCH, NOISE, radius), norm, radius)


@pytest.mark.parametrize("knowledge", [Fixed(), Fresh(), EOT(3)])
def test_an_image_alone_fares_as_among_others(knowledge) -> None:
    assert_alone_as_among_others(DiffAttack(3, restarts=2), CHEAP, knowledge)


def test_it_is_a_function_of_its_noise_and_its_batch_may_be_cut() -> None:
    aim = target(curved, CHEAP, EOT(3))
    once, again, cut = (
        DiffAttack(3)(one, BATCH, NOISE, 0.1) for one in (aim, aim, replace(aim, pixels_at_once=2 * 64))
    )
    assert torch.equal(once, again)
    torch.testing.assert_close(cut, once)
    assert not torch.equal(once, DiffAttack(3)(aim, BATCH, NOISE.child("other"), 0.1))


def test_its_memory_does_not_grow_with_the_graph() -> None:
    """Peaks of one image's gradient at 4 and 16 steps; the full graph's grows fourfold."""

    def peak(steps, gradient):
        attack, one = DiffAttack(share=1.0), BATCH[:1]
        aim = seen(attack, target(curved, DDPM(DIGITS_UNET, 60, steps), batch=one, gradient=gradient))
        return peak_bytes(lambda: aim.slope(one.images, attack._loss(one)))[1]

    assert peak(16, None) < 1.15 * peak(4, None)
    assert peak(16, None) < 0.2 * peak(16, FullGraph())


def test_logits_are_still_checked() -> None:
    batch = Batch(IMAGES, BATCH.labels, BATCH.image_ids)
    with pytest.raises(ValueError, match="returns probabilities"):
        DiffAttack(1)(target(lambda images: curved(images).softmax(1), DIFFUSION), batch, NOISE, 0.1)
    read = Deviated(Defended(DIFFUSION, Model(curved)), SHAPE).load()
    rows = torch.cat([IMAGES.flatten(1), torch.arange(6.0, dtype=torch.float64)[:, None]], 1)
    torch.testing.assert_close(read(rows), torch.cat([curved(IMAGES), rows[:, -1:]], 1))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"steps": 0}, r"DiffAttack\.steps must be a whole number of at least 1"),
        ({"share": 1.5}, r"DiffAttack\.share must be at most 1"),
        ({"share": 0}, r"DiffAttack\.share must be above zero"),
        ({"weight": -1}, r"DiffAttack\.weight must be at least zero"),
        ({"weighting": "alpha"}, r"DiffAttack\.weighting must be one of"),
    ],
)
def test_wrong_fields_are_named(fields, message) -> None:
    with pytest.raises(ValueError, match=message):
        DiffAttack(**fields)


def test_it_breaks_digits_that_the_purifier_leaves_right() -> None:
    batch = Digits()[:16].load()
    noise, defence = Noise(0, batch.image_ids), Defended(DDPM(DIGITS_UNET, 100, 6), CLASSIFIERS["digits"])
    aim = Target(defence, noise.child("configuration"), noise.child("attacker"))
    found = DiffAttack(10, relative_step=0.3)(aim, batch, noise, 0.25)
    clean, attacked = (correct(defence, images, batch.labels, aim.configuration) for images in (batch.images, found))
    assert attacked.sum() < clean.sum() - 2
