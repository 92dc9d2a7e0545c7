"""The reconstructed denoiser attack: distances by hand, its optimum on linear features, its draws."""

from dataclasses import dataclass, replace

import pytest
import torch
from torch.nn.functional import cosine_similarity

from purigeom.attacks.denoiser import DenoiserAttack
from purigeom.catalog import CLASSIFIERS, DIGITS_UNET
from purigeom.defence.defended import Defended
from purigeom.defence.gradients import BPDA, FullGraph, Surrogate, Withheld
from purigeom.defence.judge import correct
from purigeom.defence.knowledge import EOT, Fixed, Fresh, Unaware
from purigeom.defence.target import Target
from purigeom.images import Digits
from purigeom.noise import Noise
from purigeom.protocols import Batch
from purigeom.purifiers.diffusion.ddim import DDIM, OneShot
from purigeom.purifiers.diffusion.ddpm import DDPM
from purigeom.purifiers.identity import Identity
from tests.attacks.models import (
    BATCH,
    IMAGES,
    NOISE,
    WEIGHT,
    Shaken,
    assert_alone_as_among_others,
    assert_in_ball,
    curved,
    target,
)
from tests.purifiers.test_diffusion import GaussianPrior

SHAPE = (1, 8, 8)
CHEAP = DDPM(GaussianPrior(0.3), 60, 4)
UNLABELLED = Batch(IMAGES, None, BATCH.image_ids)
MOVED = IMAGES + 0.02 * NOISE.child("moved").uniform_like(IMAGES)


@dataclass(frozen=True)
class Column:
    """One feature: the image along the weight."""

    def load(self):
        return lambda images: images.flatten(1) @ WEIGHT[:1].T


def climbed(attack, aim):
    return attack._seen(aim, BATCH).slope(MOVED, attack._loss)


@pytest.mark.parametrize("purifier", [Identity(), Shaken()])
@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_of_one_linear_feature_the_furthest_image_is_found(norm, purifier) -> None:
    """It moves the feature, up or down, by the radius times the weight's dual norm, and no attack moves it further."""
    attack = DenoiserAttack(30, norm, 0.3, distance="mse", features=Column())
    found = attack(target(curved, purifier), UNLABELLED, NOISE, 0.05)
    moved = ((found - IMAGES).flatten(1) @ WEIGHT[0]).abs()
    dual = WEIGHT[0].abs().sum() if norm == "linf" else WEIGHT[0].norm()
    torch.testing.assert_close(moved, (0.05 * dual).expand(6), rtol=1e-6, atol=0)


@pytest.mark.parametrize("distance", ["cosine", "mse"])
@pytest.mark.parametrize("purifier", [CHEAP, DDIM(DIGITS_UNET, 60, 3)])
def test_its_gradient_is_that_of_the_loss_written_out(purifier, distance) -> None:
    aim = target(curved, purifier, EOT(2))
    points, distances = MOVED.clone().requires_grad_(), []
    for draw in range(2):
        states = purifier.pin(aim.attacker.child("query", 0, "draw", draw), SHAPE).states
        one, other = curved(states(points)[-1]), curved(states(IMAGES)[-1])
        away = 1 - cosine_similarity(one, other, 1) if distance == "cosine" else (one - other).square().mean(1)
        distances.append(away)
    expected = torch.stack(distances).mean(0)
    (gradient,) = torch.autograd.grad(expected.sum(), points)
    found, slope = climbed(DenoiserAttack(distance=distance), aim)
    torch.testing.assert_close(found, expected.detach(), rtol=1e-10, atol=1e-14)
    assert (slope - gradient).abs().max() <= 1e-10 * gradient.abs().max()


def test_its_gradient_is_that_of_the_whole_graph() -> None:
    purifier = DDPM(DIGITS_UNET, 60, 3)
    exact, whole = (climbed(DenoiserAttack(), target(curved, purifier, gradient=mode)) for mode in (None, FullGraph()))
    assert (exact[1] - whole[1]).abs().max() <= 1e-10 * whole[1].abs().max()


@pytest.mark.parametrize("knowledge", [Fixed(), Fresh(), EOT(3), EOT(2, "logits")])
def test_both_images_meet_the_same_draws(knowledge) -> None:
    """The clean image is at no distance from itself, whatever the query."""
    attack = DenoiserAttack(distance="mse")
    seen = attack._seen(target(curved, CHEAP, knowledge), BATCH)
    assert seen.loss(IMAGES, attack._loss, 3).abs().max() < 1e-24
    assert seen.loss(MOVED, attack._loss, 3).min() > 1e-8


def test_through_the_identity_an_added_noise_has_its_own_gradient() -> None:
    exact, identity = (climbed(DenoiserAttack(), target(curved, Shaken(), gradient=mode)) for mode in (None, BPDA()))
    torch.testing.assert_close(exact, identity)


def test_a_surrogate_of_one_step_is_denoised_smoothing() -> None:
    once, smoothed = (
        climbed(DenoiserAttack(), target(curved, purifier, gradient=mode))
        for purifier, mode in ((CHEAP, Surrogate(1)), (OneShot(CHEAP.network, 60), None))
    )
    torch.testing.assert_close(once, smoothed)


def test_its_costs_count_the_clean_images_too() -> None:
    aim = target(curved, CHEAP, EOT(3))
    DenoiserAttack(4)(aim, BATCH, NOISE, 0.1)
    assert set(aim.ledger.purifications.values()) == {2 * 3 * (4 + 1)}
    assert set(aim.ledger.gradients.values()) == {4}


def test_it_says_everywhere_that_it_is_a_reconstruction() -> None:
    from purigeom.attacks import denoiser

    assert "reconstruction" in DenoiserAttack().label
    assert "reconstruction" in (denoiser.__doc__ or "")
    assert "reconstruction" in (DenoiserAttack.__doc__ or "")


def test_an_attacker_who_takes_no_gradient_is_refused() -> None:
    with pytest.raises(ValueError, match="climbs a gradient, which"):
        DenoiserAttack()(replace(target(curved, CHEAP), gradient=Withheld()), BATCH, NOISE, 0.1)


def test_an_attacker_who_does_not_see_the_purifier_is_refused() -> None:
    with pytest.raises(ValueError, match=r"attacker with Unaware\(\) does not see"):
        DenoiserAttack()(target(curved, CHEAP, Unaware()), BATCH, NOISE, 0.1)


@pytest.mark.parametrize("distance", ["cosine", "mse"])
@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("radius", [0.0, 0.05, 0.7])
def test_it_stays_in_its_ball_and_in_range(norm, radius, distance) -> None:
    attack = DenoiserAttack(4, norm, 0.5, distance=distance)
    assert_in_ball(attack(target(curved, CHEAP), UNLABELLED, NOISE, radius), norm, radius)


@pytest.mark.parametrize("knowledge", [Fixed(), Fresh(), EOT(3)])
def test_an_image_alone_fares_as_among_others(knowledge) -> None:
    assert_alone_as_among_others(DenoiserAttack(3, restarts=2), CHEAP, knowledge)


def test_it_is_a_function_of_its_noise() -> None:
    once, again = (DenoiserAttack(3)(target(curved, CHEAP), BATCH, NOISE, 0.1) for _ in range(2))
    assert torch.equal(once, again)
    assert not torch.equal(once, DenoiserAttack(3)(target(curved, CHEAP), BATCH, NOISE.child("other"), 0.1))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"steps": 0}, r"DenoiserAttack\.steps must be a whole number of at least 1"),
        ({"distance": "l1"}, r"DenoiserAttack\.distance must be one of \('cosine', 'mse'\); got 'l1'"),
        ({"relative_step": 0}, r"DenoiserAttack\.relative_step must be above zero"),
    ],
)
def test_wrong_fields_are_named(fields, message) -> None:
    with pytest.raises(ValueError, match=message):
        DenoiserAttack(**fields)


def test_it_breaks_digits_that_the_purifier_leaves_right() -> None:
    batch = Digits()[:16].load()
    noise, defence = Noise(0, batch.image_ids), Defended(OneShot(DIGITS_UNET, 60), CLASSIFIERS["digits"])
    aim = Target(defence, noise.child("configuration"), noise.child("attacker"))
    found = DenoiserAttack(10, relative_step=0.3)(aim, batch, noise, 0.25)
    clean, attacked = (correct(defence, images, batch.labels, aim.configuration) for images in (batch.images, found))
    assert attacked.sum() < clean.sum() - 4
