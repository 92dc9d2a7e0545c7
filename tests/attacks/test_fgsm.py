"""FGSM: one step, of the whole radius."""

import pytest
import torch

from purigeom.attacks.fgsm import FGSM
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
    target,
    two_classes,
)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_one_step_finds_the_best_attack_on_a_linear_margin(norm) -> None:
    found = FGSM(norm)(target(two_classes), TWO, NOISE, 0.05)
    torch.testing.assert_close(fallen_margin(found), best_fall(norm, 0.05))


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("radius", [0.0, 0.05, 0.7])
def test_it_stays_in_its_ball_and_in_range(norm, radius) -> None:
    assert_in_ball(FGSM(norm)(target(curved), BATCH, NOISE, radius), norm, radius)


@pytest.mark.parametrize("knowledge", [Fixed(), Fresh(), EOT(3)])
def test_an_image_alone_fares_as_among_others(knowledge) -> None:
    assert_alone_as_among_others(FGSM(), Shaken(), knowledge)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_it_is_one_step_of_pgd_from_the_image(norm) -> None:
    step = PGD(1, norm, relative_step=1.0, random_start=False, iterate="last")
    found, walked = (attack(target(curved), BATCH, NOISE, 0.1) for attack in (FGSM(norm), step))
    torch.testing.assert_close(found, walked)


def test_pixels_without_a_gradient_stay() -> None:
    def half(images):
        return two_classes(images * (torch.arange(64).reshape(8, 8) < 32))

    moved = FGSM()(target(half), TWO, NOISE, 0.05) != IMAGES
    assert moved[:, :, :4].all()
    assert not moved[:, :, 4:].any()


def test_it_costs_one_gradient_per_image() -> None:
    asked = target(curved)
    FGSM()(asked, BATCH, NOISE, 0.05)
    assert set(asked.ledger.gradients.values()) == {1}


def test_misspelt_options_and_wrong_units_are_refused() -> None:
    with pytest.raises(ValueError, match=r"FGSM\.norm must be one of"):
        FGSM("l1")
    with pytest.raises(ValueError, match=r"write 8 / 255"):
        FGSM()(target(), BATCH, NOISE, 8.0)
