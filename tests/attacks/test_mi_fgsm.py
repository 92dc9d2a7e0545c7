"""MI-FGSM: the oracle of its walk, and PGD as the walk without memory."""

import pytest
import torch

from purigeom.attacks.mi_fgsm import MIFGSM
from purigeom.attacks.pgd import PGD
from purigeom.defence.knowledge import EOT, Fixed, Fresh
from tests.attacks.models import (
    BATCH,
    IMAGES,
    NOISE,
    TWO,
    Shaken,
    assert_alone_as_among_others,
    assert_in_ball,
    best_fall,
    curved,
    fallen_margin,
    losses,
    target,
    two_classes,
)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_the_best_attack_on_a_linear_margin_is_found(norm) -> None:
    """The published step just reaches the radius."""
    found = MIFGSM(norm=norm)(target(two_classes), TWO, NOISE, 0.05)
    torch.testing.assert_close(fallen_margin(found), best_fall(norm, 0.05))


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("radius", [0.0, 0.05, 0.7])
def test_it_stays_in_its_ball_and_in_range(norm, radius) -> None:
    assert_in_ball(MIFGSM(norm=norm, relative_step=0.5)(target(curved), BATCH, NOISE, radius), norm, radius)


@pytest.mark.parametrize("knowledge", [Fixed(), Fresh(), EOT(3)])
def test_an_image_alone_fares_as_among_others(knowledge) -> None:
    assert_alone_as_among_others(MIFGSM(5), Shaken(), knowledge)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_without_decay_it_is_pgd_from_the_image(norm) -> None:
    attacks = (
        MIFGSM(7, norm, decay=0, relative_step=0.3),
        PGD(7, norm, relative_step=0.3, random_start=False, iterate="last"),
    )
    found, walked = (attack(target(curved), BATCH, NOISE, 0.2) for attack in attacks)
    torch.testing.assert_close(found, walked)


def test_it_walks_as_the_paper_writes() -> None:
    """Algorithm 1 with the sum of absolute values written out, for one image."""
    image, momentum = IMAGES[:1], 0
    for _ in range(5):
        point = image.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(losses(curved, point, BATCH[:1]).sum(), point)
        momentum = 0.9 * momentum + gradient / gradient.abs().sum()
        image = (image + 0.03 * momentum.sign()).clamp(IMAGES[:1] - 0.1, IMAGES[:1] + 0.1).clamp(0, 1)
    found = MIFGSM(5, decay=0.9, relative_step=0.3)(target(curved), BATCH, NOISE, 0.1)
    torch.testing.assert_close(found[:1], image)


def test_momentum_outlives_the_gradient_that_made_it() -> None:
    """One push, then none: with decay 1 the walk goes on, and a gradient of zero is no NaN."""
    slopes = [torch.ones(1, 1, 2, 2), torch.zeros(1, 1, 2, 2)]
    clean = torch.full((1, 1, 2, 2), 0.5)
    far, near = (MIFGSM(2, decay=decay).climbed(lambda _, step: slopes[step], clean, 0.1) for decay in (1.0, 0.0))
    torch.testing.assert_close(far, clean + 0.1)
    torch.testing.assert_close(near, clean + 0.05)


def test_a_gradient_counts_by_its_direction_whatever_its_size() -> None:
    slopes = [torch.ones(1, 1, 2, 2), -10 * torch.ones(1, 1, 2, 2)]
    clean = torch.full((1, 1, 2, 2), 0.5)
    found = MIFGSM(2).climbed(lambda _, step: slopes[step], clean, 0.1)
    torch.testing.assert_close(found, clean + 0.05)


def test_every_step_of_a_fresh_attacker_is_a_new_draw() -> None:
    asked = target(curved, Shaken(), Fresh())
    fresh = MIFGSM(3)(asked, BATCH, NOISE, 0.1)
    assert asked.ledger.gradients[1] == asked.ledger.purifications[1] == 3
    assert not torch.equal(fresh, MIFGSM(3)(target(curved, Shaken(), Fixed()), BATCH, NOISE, 0.1))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"steps": 0}, r"MIFGSM\.steps must be a whole number"),
        ({"decay": -1.0}, r"MIFGSM\.decay must be at least zero"),
        ({"relative_step": 0.0}, r"MIFGSM\.relative_step must be above zero"),
        ({"loss": "mse"}, r"MIFGSM\.loss must be one of"),
    ],
)
def test_bad_settings_are_refused(fields, message) -> None:
    with pytest.raises(ValueError, match=message):
        MIFGSM(**fields)
