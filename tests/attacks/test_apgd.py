"""APGD: closed-form optima, its schedule, its own rules step by step, and PGD as the mark to reach."""

from itertools import pairwise

import pytest
import torch

from purigeom.attacks.apgd import APGD
from purigeom.attacks.ascent import Pace, Point, checkpoints
from purigeom.attacks.losses import climbing
from purigeom.attacks.pgd import PGD
from purigeom.defence.knowledge import EOT, Fixed, Fresh
from purigeom.protocols import Batch
from tests.attacks.models import (
    BATCH,
    IMAGES,
    NOISE,
    TWO,
    WEIGHT,
    Overheard,
    Shaken,
    assert_alone_as_among_others,
    assert_in_ball,
    best_fall,
    curved,
    fallen_margin,
    linear,
    losses,
    target,
    two_classes,
)

LOSSES = ["ce", "cw", "dlr", "targeted dlr"]


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("loss", ["ce", "cw"])
def test_the_best_attack_on_a_linear_margin_is_found(norm, loss) -> None:
    found = APGD(30, norm, loss)(target(two_classes), TWO, NOISE, 0.05)
    torch.testing.assert_close(fallen_margin(found), best_fall(norm, 0.05), rtol=1e-6, atol=0)


@pytest.mark.parametrize(("norm", "radius"), [("linf", 0.06), ("l2", 0.38)])
def test_targeted_walks_fool_linear_classes_wherever_that_is_possible(norm, radius) -> None:
    """The furthest margin is known: towards the class whose weights differ most for the distance."""
    batch = Batch(IMAGES, linear(IMAGES).argmax(1), BATCH.image_ids)
    away = WEIGHT.unsqueeze(0) - WEIGHT[batch.labels].unsqueeze(1)
    dual = away.abs().sum(2) if norm == "linf" else away.norm(dim=2)
    furthest = (away @ IMAGES.flatten(1).unsqueeze(2)).squeeze(2) + radius * dual
    possible = furthest.scatter(1, batch.labels.unsqueeze(1), -torch.inf).amax(1) > 0
    assert possible.any()
    assert not possible.all()
    found = APGD(40, norm, "targeted dlr")(target(batch=batch), batch, NOISE, radius)
    assert torch.equal(linear(found).argmax(1) != batch.labels, possible)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("radius", [0.0, 0.05, 0.7])
def test_it_stays_in_its_ball_and_in_range(loss, norm, radius) -> None:
    assert_in_ball(APGD(12, norm, loss)(target(curved), BATCH, NOISE, radius), norm, radius)


@pytest.mark.parametrize("attack", [APGD(9), APGD(9, "l2", restarts=2), APGD(9, loss="targeted dlr", targets=2)])
@pytest.mark.parametrize("knowledge", [Fixed(), Fresh(), EOT(3)])
def test_an_image_alone_fares_as_among_others(attack, knowledge) -> None:
    assert_alone_as_among_others(attack, Shaken(), knowledge)


def test_it_is_a_function_of_its_noise() -> None:
    once, again, otherwise = (
        APGD(5)(target(curved), BATCH, noise, 0.3) for noise in (NOISE, NOISE, NOISE.child("other"))
    )
    assert torch.equal(once, again)
    assert not torch.equal(once, otherwise)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_more_steps_and_more_restarts_never_lower_the_loss(norm) -> None:
    """On a linear model; restarts, of which the best counts, on any."""
    found = [losses(linear, APGD(steps, norm)(target(), BATCH, NOISE, 0.05)) for steps in (1, 2, 5, 10, 20)]
    restarted = [
        losses(curved, APGD(4, norm, restarts=restarts)(target(curved), BATCH, NOISE, 0.1)) for restarts in (1, 2, 4)
    ]
    for fewer, more in [*pairwise(found), *pairwise(restarted)]:
        assert (more >= fewer - 1e-12).all()


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("steps", [25, 50])
def test_it_finds_what_pgd_finds_with_as_many_steps(norm, steps) -> None:
    radius = 0.15 if norm == "linf" else 0.8
    ours, theirs = (
        losses(curved, attack(target(curved), BATCH, NOISE, radius)) for attack in (APGD(steps, norm), PGD(steps, norm))
    )
    assert (ours >= theirs - 1e-3 * theirs.abs()).all()


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_ends_higher_than_it_starts(loss) -> None:
    found = APGD(20, loss=loss)(target(curved), BATCH, NOISE, 0.2)
    margin = climbing("cw", BATCH.labels)
    assert (margin(curved(found)) > margin(curved(IMAGES))).all()


def test_checkpoints_are_the_papers() -> None:
    assert checkpoints(100) == (22, 41, 57, 70, 80, 87, 93, 99)
    assert checkpoints(20) == (5, 9, 12, 14, 16, 18, 19, 20)
    assert checkpoints(1) == (1,)


def test_steps_halve_where_few_rose_or_where_as_long_ones_found_no_peak() -> None:
    """Of eight steps six must rise; a pace just halved is given one interval to find a new peak."""
    risen = torch.tensor([5, 6, 6, 6])
    peak, best = torch.ones(4), torch.tensor([2.0, 2.0, 1.0, 1.0])
    halved = torch.tensor([False, False, False, True])
    pace = Pace(torch.full((4,), 0.4), risen, peak, halved, steps=8)
    judged = pace.judged(Point(torch.zeros(4, 1), best, torch.zeros(4, 1)))
    torch.testing.assert_close(judged.length, torch.tensor([0.2, 0.4, 0.2, 0.4]))
    assert judged.halved.tolist() == [True, False, True, False]
    assert judged.risen.tolist() == [0] * 4
    assert judged.steps == 0


def test_a_walk_follows_the_papers_algorithm() -> None:
    """Algorithm 1 written out for one image in l2, past checkpoints that send it back to its best iterate."""
    steps, radius = 20, 2.5
    seen: list[torch.Tensor] = []

    def watched(images):
        if images.requires_grad:
            seen.append(images.detach().clone())
        return curved(images)

    APGD(steps, "l2")(target(watched, batch=BATCH[:1]), BATCH[:1], NOISE[:1], radius)
    assert len(seen) == steps
    path, sent_back = _algorithm(seen[0], steps, radius)
    assert sent_back
    torch.testing.assert_close(torch.stack(seen), torch.stack(path))


def _algorithm(start, steps, radius):
    def value(image):
        point = image.clone().requires_grad_()
        loss = losses(curved, point, BATCH[:1]).sum()
        return loss.item(), torch.autograd.grad(loss, point)[0]

    def inside(image):
        moved = image - IMAGES[:1]
        return (IMAGES[:1] + moved * min(1, radius / moved.norm().item())).clamp(0, 1)

    image, length, path, (loss, gradient) = start, 2 * radius, [start], value(start)
    before, best, rises, peak, halved, sent_back = None, (loss, image, gradient), [], loss, False, 0
    for step in range(1, steps):
        moved = inside(image + length * gradient / gradient.norm())
        if before is not None:
            moved = inside(image + 0.75 * (moved - image) + 0.25 * (image - before))
        before, image = image, moved
        path.append(image)
        last, (loss, gradient) = loss, value(image)
        rises.append(loss > last)
        best = max(best, (loss, image, gradient), key=lambda found: found[0])
        if step in checkpoints(steps):
            halved, peak = sum(rises) < 0.75 * len(rises) or (not halved and best[0] <= peak), best[0]
            rises = []
            if halved:
                sent_back += image is not best[1]
                length, (loss, image, gradient) = length / 2, best
    return path, sent_back


def test_every_query_has_a_number_of_its_own() -> None:
    for attack in (APGD(4, restarts=2), APGD(3, loss="targeted dlr", restarts=2)):
        asked = []
        attack(target(curved, knowledge=Overheard(asked)), BATCH, NOISE, 0.1)
        assert len(asked) == len(set(asked)) > 8


def test_more_targets_never_lower_the_margin() -> None:
    margins = [
        climbing("cw", BATCH.labels)(curved(attack(target(curved), BATCH, NOISE, 0.1)))
        for attack in (APGD(6, loss="targeted dlr", targets=targets) for targets in (1, 2, 3, 4))
    ]
    for fewer, more in pairwise(margins):
        assert (more >= fewer).all()


def test_targets_are_capped_by_the_classes_and_cost_a_walk_each() -> None:
    asked = target(curved)
    APGD(3, loss="targeted dlr")(asked, BATCH, NOISE, 0.1)
    assert set(asked.ledger.gradients.values()) == {4 * 3}


def test_too_few_classes_for_a_loss_are_named() -> None:
    with pytest.raises(ValueError, match="'targeted dlr' needs at least 4 classes"):
        APGD(3, loss="targeted dlr")(target(two_classes), TWO, NOISE, 0.1)
    with pytest.raises(ValueError, match="'dlr' needs at least 3 classes"):
        APGD(3, loss="dlr")(target(two_classes), TWO, NOISE, 0.1)


@pytest.mark.parametrize("fields", [{"steps": 0}, {"restarts": 0}, {"targets": 0}, {"norm": "l1"}, {"loss": "mse"}])
def test_bad_settings_are_refused(fields) -> None:
    with pytest.raises(ValueError, match=rf"APGD\.{next(iter(fields))} must be"):
        APGD(**fields)
