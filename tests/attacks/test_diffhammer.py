"""DiffHammer: its weights by hand, its grafts against plain products, its walk on defences whose dilemma is known."""

from dataclasses import dataclass, replace
from math import exp
from typing import ClassVar

import pytest
import torch

from purigeom.attacks.diffhammer import DiffHammer
from purigeom.attacks.pgd import PGD
from purigeom.attacks.resubmission import Kept, evaluated
from purigeom.attacks.selection import Draws, Selection, mean
from purigeom.attacks.walk import Walk
from purigeom.catalog import CLASSIFIERS, DIGITS_UNET
from purigeom.defence.defended import Defended
from purigeom.defence.gradients import BPDA, Exact, Surrogate
from purigeom.defence.judge import correct
from purigeom.defence.knowledge import EOT, Fixed, Fresh, Unaware
from purigeom.defence.target import Target
from purigeom.images import Digits
from purigeom.noise import Noise
from purigeom.protocols import Batch, Declaration
from purigeom.purifiers.diffusion.ddpm import DDPM
from tests.attacks.models import (
    BATCH,
    IMAGES,
    NOISE,
    TWO,
    WEIGHT,
    Model,
    Shaken,
    assert_alone_as_among_others,
    assert_in_ball,
    curved,
    losses,
    target,
    two_classes,
)
from tests.purifiers.test_diffusion import GaussianPrior

SHAPE = (1, 8, 8)
CHEAP = DDPM(GaussianPrior(0.3), 60, 4)
ONE_WALK = {"losses": ("ce",)}
SELECTION = Selection("linf", length=0.1, steepness=5.0, iterations=1)


def sigmoid(number):
    return 1 / (1 + exp(-number))


def draws(losses, gradients):
    """Return the draws of one image, from one loss and one gradient each."""
    return Draws(
        torch.tensor(losses, dtype=torch.float64)[:, None], torch.tensor(gradients, dtype=torch.float64)[:, None]
    )


def test_responsibilities_of_two_draws_are_those_computed_by_hand() -> None:
    """Draw 0: loss 0, gradient (2, 0). Draw 1: loss -1/2, gradient (-1, 3). Steps have length 1/10 in every pixel."""
    two = draws([0.0, -0.5], [[2.0, 0.0], [-1.0, 3.0]])
    # each draw's own step: (1, 0) raises the losses by 0.2 and -0.1, (-1, 1) by -0.2 and 0.4
    first = sigmoid(5 * 0.2) + sigmoid(5 * (-0.5 - 0.1))
    second = sigmoid(5 * -0.2) + sigmoid(5 * (-0.5 + 0.4))
    assert (second > first) == bool(SELECTION.representative(two))
    # once: by the step of draw 0, the representative
    likelihood = sigmoid(5 * 0.2), sigmoid(5 * -0.6)
    weights = torch.tensor(likelihood, dtype=torch.float64) / sum(likelihood)
    torch.testing.assert_close(SELECTION.responsibilities(two)[:, 0], weights)
    # twice: by the sign of the mean gradient, which is now (+, +)
    common = weights @ two.gradients[:, 0]
    assert (common > 0).all()
    likelihood = sigmoid(5 * 0.2), sigmoid(5 * (-0.5 - 0.1 + 0.3))
    again = torch.tensor(likelihood, dtype=torch.float64) / sum(likelihood)
    torch.testing.assert_close(replace(SELECTION, iterations=2).responsibilities(two)[:, 0], again)
    assert not torch.allclose(weights, again)  # what the published code gives however often it iterates


def test_in_l2_a_step_goes_along_the_gradient() -> None:
    two = draws([0.0, -0.5], [[3.0, 4.0], [-1.0, 3.0]])
    expected = replace(SELECTION, norm="l2").expected(two, two.gradients[0])
    torch.testing.assert_close(expected[:, 0], torch.tensor([0.1 * 5, -0.5 + 0.1 * 9 / 5], dtype=torch.float64))


def test_the_weakness_of_most_draws_is_chosen() -> None:
    three = draws([0.0, 0.0, 0.0], [[9.0, 9.0], [-9.0, -8.0], [-8.0, -9.0]])
    selection = replace(SELECTION, iterations=5)
    assert selection.representative(three) in (1, 2)
    weights = selection.responsibilities(three)[:, 0]
    assert weights[0] < 1e-3
    torch.testing.assert_close(weights[1:], torch.full((2,), 0.5, dtype=torch.float64), rtol=1e-3, atol=0)


def test_draws_far_from_breaking_are_still_weighed() -> None:
    """The published weights are all zero here in float32, and their mean is not a number."""
    far = Draws(torch.tensor([[-200.0], [-201.0]]), torch.ones(2, 1, 4))
    weights = SELECTION.responsibilities(far)[:, 0]
    torch.testing.assert_close(weights, torch.tensor([1, exp(-5)]) / (1 + exp(-5)))


def test_a_draw_that_is_left_out_weighs_nothing() -> None:
    out = draws([-torch.inf, -1.0], [[0.0, 0.0], [1.0, 2.0]])
    assert SELECTION.representative(out) == 1
    assert SELECTION.responsibilities(out)[:, 0].tolist() == [0, 1]
    assert not SELECTION.responsibilities(replace(out, losses=torch.full_like(out.losses, -torch.inf))).any()


def test_images_are_kept_by_failures_then_by_margin() -> None:
    kept = Kept(torch.zeros(4, 1), torch.tensor([1.0, 2.0, 2.0, 0.0]), torch.tensor([5.0, 0.0, 0.0, 0.0]))
    other = Kept(torch.ones(4, 1), torch.tensor([2.0, 1.0, 2.0, 0.0]), torch.tensor([-1.0, 9.0, 1.0, 0.0]))
    assert kept.better(other).images.flatten().tolist() == [1, 0, 1, 0]
    assert kept.better(other).failures.tolist() == [2, 2, 2, 0]


@pytest.mark.parametrize("purifier", [Shaken(), CHEAP, DDPM(DIGITS_UNET, 60, 3)])
def test_of_one_draw_the_graft_is_the_exact_gradient(purifier) -> None:
    aim = target(curved, purifier)
    found, _ = evaluated(aim, IMAGES, BATCH.labels, "ce", 0)
    grafted = DiffHammer()._grafted(aim, IMAGES, found, Walk(1, "linf", 0.1, 1.0), 0)
    _, slope = aim.slope(
        IMAGES, lambda logits: torch.nn.functional.cross_entropy(logits, BATCH.labels, reduction="none")
    )
    assert (grafted - slope).abs().max() <= 1e-10 * slope.abs().max()


def test_a_graft_is_the_common_gradient_pulled_through_the_representative_s_chain() -> None:
    curly = DDPM(DIGITS_UNET, 60, 3)
    aim, walk = target(curved, curly, EOT(4)), Walk(1, "linf", 0.1, 1.0)
    found, _ = evaluated(aim, IMAGES, BATCH.labels, "ce", 7)
    grafted = DiffHammer()._grafted(aim, IMAGES, found, walk, 7)
    selection = Selection("linf", 0.1, 5.0, 5)
    common, chosen = mean(found, selection.responsibilities(found)), selection.representative(found)
    assert len(set(chosen.tolist())) > 1
    for place, draw in enumerate(chosen.tolist()):
        noise = aim.attacker.child("query", 7, "draw", draw)[[place]]
        point = IMAGES[[place]].clone().requires_grad_()
        purified = curly.pin(noise, SHAPE)(point)
        (expected,) = torch.autograd.grad(purified, point, common[place].reshape(1, *SHAPE))
        torch.testing.assert_close(grafted[[place]], expected)


def test_gradients_at_purified_images_and_failures_are_those_of_every_draw() -> None:
    aim = target(curved, Shaken(0.5), EOT(3))
    found, kept = evaluated(aim, IMAGES, BATCH.labels, "ce", 2)
    failures = torch.zeros(6, dtype=torch.float64)
    for draw in range(3):
        noise = aim.attacker.child("query", 2, "draw", draw)
        purified = Shaken(0.5).pin(noise, SHAPE)(IMAGES).requires_grad_()
        loss = losses(curved, purified)
        torch.testing.assert_close(found.losses[draw], loss)
        (gradient,) = torch.autograd.grad(loss.sum(), purified)
        torch.testing.assert_close(found.gradients[draw], gradient.flatten(1))
        failures += curved(purified).argmax(1) != BATCH.labels
    assert torch.equal(kept.failures, failures)
    assert 0 < failures.sum() < 18


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_of_one_draw_without_memory_it_is_pgd(norm) -> None:
    """On a linear margin both walk to the same best image."""
    attacks = DiffHammer(8, norm, 0.3, decay=0.0, **ONE_WALK), PGD(8, norm, 0.3)
    found, walked = (attack(target(two_classes, Shaken()), TWO, NOISE, 0.05) for attack in attacks)
    torch.testing.assert_close(found, walked)


@dataclass(frozen=True)
class Torn:
    """Move every image along the weight, up or down by the toss of a coin."""

    reach: float
    declaration: ClassVar[Declaration] = Declaration("toy", range="unbounded")

    def pin(self, noise, image_shape):
        step = self.reach * (WEIGHT[0] / WEIGHT[0].norm()).reshape(image_shape)
        return lambda images: images + noise.sign_like(images[:, :1, :1, :1]) * step


def band(images):
    """Class 0 within a band around the clean images along the weight, class 1 outside: where both draws disagree."""
    place = (images - IMAGES[: len(images)]).flatten(1) @ (WEIGHT[0] / WEIGHT[0].norm())
    return torch.stack([torch.zeros_like(place), place.abs() - 0.6], 1)


def test_it_breaks_the_half_of_the_draws_that_share_a_weakness() -> None:
    """Draws at +0.4 and -0.4 in a band of 0.6: a step of 0.3 either way breaks one half, none breaks both."""
    batch = replace(BATCH, labels=torch.zeros(6, dtype=torch.int64))
    aim = target(band, Torn(0.4), EOT(10), batch)
    found = DiffHammer(10, "l2", 0.3, losses=("cw",))(aim, batch, NOISE, 0.3)
    place = (found - IMAGES).flatten(1) @ (WEIGHT[0] / WEIGHT[0].norm())
    assert (place.abs() > 0.2).all()
    failed = [~correct(aim.defence, found, batch.labels, NOISE.child("judge", draw)) for draw in range(100)]
    share = torch.stack(failed).double().mean(0)
    assert ((share > 0.3) & (share < 0.7)).all()
    assert not torch.stack(
        [~correct(aim.defence, IMAGES, batch.labels, NOISE.child("judge", draw)) for draw in range(10)]
    ).any()


def test_only_images_that_mostly_withstood_walk_again() -> None:
    """Images 0, 2 and 4 have a label that is wrong to begin with."""
    wrong = replace(
        TWO, labels=two_classes(IMAGES).argmin(1).where(torch.arange(6) % 2 == 0, two_classes(IMAGES).argmax(1))
    )
    aim = target(two_classes, None, EOT(3), wrong)
    DiffHammer(2, losses=("cw", "ce"))(aim, wrong, NOISE, 1e-6)
    once, twice = 3 * 3 + 2, 2 * (3 * 3 + 2)
    assert [aim.ledger.purifications[one] for one in wrong.image_ids] == [once, twice] * 3


@dataclass(frozen=True)
class Recorded:
    """Fresh draws, written down."""

    asked: list
    label: ClassVar[str] = "recorded"
    average: ClassVar[str] = "losses"

    def draws(self, configuration, attacker, query):
        self.asked.append(query)
        return EOT(2).draws(configuration, attacker, query)


def test_every_iterate_is_evaluated_by_draws_of_its_own() -> None:
    asked: list[int] = []
    DiffHammer(3, restart_up_to=1.0)(target(curved, Shaken(), Recorded(asked)), BATCH, NOISE, 1e-6)
    assert sorted(set(asked)) == list(range(3 * (3 + 1)))


def test_n_evaluation_asks_the_purifier_and_not_its_surrogate() -> None:
    fine, coarse = DDPM(GaussianPrior(0.3), 60, 6), DDPM(GaussianPrior(0.3), 60, 2)
    by_surrogate, exact, whole = (
        evaluated(target(curved, purifier, gradient=gradient), IMAGES, BATCH.labels, "ce", 0)[0].losses
        for purifier, gradient in ((fine, Surrogate(2)), (fine, Exact()), (coarse, Exact()))
    )
    assert torch.equal(by_surrogate, exact)
    assert not torch.equal(by_surrogate, whole)


def test_through_the_identity_the_graft_is_the_common_gradient() -> None:
    aim = target(curved, CHEAP, EOT(4), gradient=BPDA())
    found, _ = evaluated(aim, IMAGES, BATCH.labels, "ce", 0)
    grafted = DiffHammer()._grafted(aim, IMAGES, found, Walk(1, "linf", 0.1, 1.0), 0)
    weights = Selection("linf", 0.1, 5.0, 5).responsibilities(found)
    torch.testing.assert_close(grafted.flatten(1), mean(found, weights))


@dataclass(frozen=True)
class Poisoned:
    """No number for one image, in some draws."""

    image_id: int
    declaration: ClassVar[Declaration] = Declaration("toy", range="unbounded")

    def pin(self, noise, image_shape):
        bad = torch.tensor([one == self.image_id for one in noise.image_ids])[:, None, None, None]
        return lambda images: images.where(~(bad & (noise.sign_like(images[:, :1, :1, :1]) > 0)), torch.nan)


def test_a_draw_that_is_no_number_is_named_and_the_other_images_finish() -> None:
    aim = target(curved, Poisoned(5), EOT(4))
    found = DiffHammer(4)(aim, BATCH, NOISE, 0.1)
    well = DiffHammer(4)(target(curved, Poisoned(-1), EOT(4)), BATCH, NOISE, 0.1)
    others = [0, 1, 3, 4, 5]
    torch.testing.assert_close(found[others], well[others])
    assert found.isfinite().all()
    assert list(aim.ledger.broken) == [5]
    assert "Image 5: NaN or infinity as the value of step 1" in aim.ledger.broken[5]


@pytest.mark.parametrize("knowledge", [Unaware(), EOT(3, "logits")])
def test_draws_that_cannot_be_told_apart_are_refused(knowledge) -> None:
    with pytest.raises(ValueError, match="DiffHammer weighs the loss of every purification"):
        DiffHammer()(target(curved, CHEAP, knowledge), BATCH, NOISE, 0.1)


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("radius", [0.0, 0.05, 0.7])
def test_it_stays_in_its_ball_and_in_range(norm, radius) -> None:
    assert_in_ball(DiffHammer(4, norm, 0.5)(target(curved, CHEAP, EOT(2)), BATCH, NOISE, radius), norm, radius)


@pytest.mark.parametrize("knowledge", [Fixed(), Fresh(), EOT(3)])
def test_an_image_alone_fares_as_among_others(knowledge) -> None:
    assert_alone_as_among_others(DiffHammer(3), CHEAP, knowledge)


def test_it_is_a_function_of_its_noise() -> None:
    once, again = (DiffHammer(3)(target(curved, CHEAP, EOT(3)), BATCH, NOISE, 0.1) for _ in range(2))
    assert torch.equal(once, again)
    assert not torch.equal(once, DiffHammer(3)(target(curved, CHEAP, EOT(3)), BATCH, NOISE.child("other"), 0.1))


def test_a_batch_without_labels_is_refused() -> None:
    with pytest.raises(ValueError, match="needs labels"):
        DiffHammer()(target(curved, CHEAP), Batch(IMAGES, None, BATCH.image_ids), NOISE, 0.1)


def test_probabilities_are_refused() -> None:
    with pytest.raises(ValueError, match="returns probabilities"):
        DiffHammer(1)(target(lambda images: curved(images).softmax(1), CHEAP), BATCH, NOISE, 0.1)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"steps": 0}, r"DiffHammer\.steps must be a whole number of at least 1"),
        ({"losses": ()}, r"DiffHammer\.losses must be at least one of \('ce', 'cw', 'dlr'\); got \(\)"),
        ({"losses": ("CW",)}, r"DiffHammer\.losses must be at least one of"),
        ({"steepness": 0}, r"DiffHammer\.steepness must be above zero"),
        ({"decay": -1}, r"DiffHammer\.decay must be at least zero"),
        ({"iterations": 0}, r"DiffHammer\.iterations must be a whole number"),
    ],
)
def test_wrong_fields_are_named(fields, message) -> None:
    with pytest.raises(ValueError, match=message):
        DiffHammer(**fields)


def test_it_breaks_digits_that_the_purifier_leaves_right() -> None:
    """Judged by draws that it never saw."""
    batch = Digits()[:16].load()
    noise, defence = Noise(0, batch.image_ids), Defended(DDPM(DIGITS_UNET, 100, 4), CLASSIFIERS["digits"])
    aim = Target(defence, noise.child("configuration"), noise.child("attacker"), EOT(4))
    found = DiffHammer(6, relative_step=0.3, losses=("cw",))(aim, batch, noise, 0.25)
    clean, attacked = (
        sum(correct(defence, images, batch.labels, noise.child("judge", draw)).sum() for draw in range(4))
        for images in (batch.images, found)
    )
    assert attacked < clean - 12


def test_its_classifier_is_asked_once_per_draw() -> None:
    asked = []
    aim = target(lambda images: asked.append(len(images)) or curved(images), Shaken(), EOT(3))
    assert isinstance(aim.defence.classifier, Model)
    evaluated(aim, IMAGES, BATCH.labels, "ce", 0)
    assert asked == [6, 6, 6]
