"""Minimal perturbations of classifiers whose boundary is known in closed form."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from purigeom.attacks.adversary import Adversary
from purigeom.attacks.fgsm import FGSM
from purigeom.attacks.pgd import PGD
from purigeom.defence.gradients import BPDA
from purigeom.measurements.minimal_perturbation import MinimalPerturbation
from purigeom.purifiers.wrapped import wrap
from tests.targets import BATCH, LINEAR, NOISE, TWO_CLASSES, WEIGHT, two_classes
from tests.toys import Scale

RIGHT = replace(BATCH, labels=two_classes(BATCH.images).argmax(1))
HALF_WRONG = replace(RIGHT, labels=torch.where(torch.arange(6) < 3, RIGHT.labels, 1 - RIGHT.labels))
SHRINKING = wrap(lambda images: 0.5 + (images - 0.5) / 2, name="shrinking")
RESOLUTION = 0.5 / 2**7 + 1e-9


def boundary(images, order):
    """Return how far the boundary between the two classes is in the norm whose dual is given."""
    return (images.flatten(1) @ WEIGHT[0]).abs().numpy() / WEIGHT[0].norm(p=order).item()


def minimal(purifier=SHRINKING, batch=RIGHT, **settings):
    return MinimalPerturbation(settings.pop("classifier", TWO_CLASSES), **settings)(purifier, batch, NOISE)


@pytest.mark.parametrize(("attack", "order"), [(PGD(20), 1), (FGSM(), 1), (PGD(20, "l2"), 2)])
def test_a_linear_classifier_falls_at_its_margin_over_the_dual_norm(attack, order) -> None:
    answer = minimal(attack=attack, largest=0.8, halvings=9).minimal_radius.sel(draw=0)
    for place, images in (("clean image", RIGHT.images), ("anchor", SHRINKING.function(RIGHT.images))):
        known, found = boundary(images, order), answer.sel(place=place).values
        assert (known < 0.8).all()
        assert (found >= known - 1e-9).all()
        assert (found <= known + 0.8 / 2**9 + 1e-9).all()


def test_more_halvings_are_finer() -> None:
    known = boundary(RIGHT.images, 1)
    gaps = [minimal(halvings=count).minimal_radius.values[0, 0] - known for count in (2, 5, 10)]
    assert gaps[0].max() > gaps[1].max() > gaps[2].max()
    assert gaps[2].max() <= 0.5 / 2**10 + 1e-9


def test_what_is_wrong_already_is_at_zero_and_costs_one_call() -> None:
    answer = minimal(batch=HALF_WRONG)
    assert not answer.minimal_radius.values[:, 0, 3:].any()
    assert (answer.minimal_radius.values[:, 0, :3] > 0).all()
    np.testing.assert_array_equal(answer.classifier_calls.values[:, 0, 3:], 1)


def test_what_no_radius_reaches_is_at_infinity_and_is_searched_once() -> None:
    answer = minimal(largest=0.001)
    assert np.isinf(answer.minimal_radius).all()
    np.testing.assert_array_equal(answer.classifier_calls, 1 + 21 + 20 + 1)


def test_calls_count_every_forward_and_backward_pass_of_the_classifier() -> None:
    passes = {"forward": 0, "backward": 0}

    def counting(images):
        passes["forward"] += len(images)
        logits = two_classes(images)
        if logits.requires_grad:
            logits.register_hook(lambda _: passes.update(backward=passes["backward"] + len(images)))
        return logits

    answer = minimal(classifier=wrap(counting, name="counting"), places=("anchor",), attack=PGD(3))
    assert answer.classifier_calls.sum() == sum(passes.values())
    np.testing.assert_array_equal(answer.classifier_calls, 1 + (7 + 1) * (4 + 3 + 1))


def test_no_gradient_passes_through_the_purifier_where_the_classifier_is_attacked() -> None:
    seen = []

    def watched(images):
        seen.append(torch.is_grad_enabled() or images.requires_grad)
        return images

    minimal(wrap(watched, name="watched", differentiability="none"), draws=2)
    assert seen == [False, False]
    minimal(wrap(watched, name="watched"), places=("defence",))
    assert any(seen)


def test_through_a_shrinking_defence_the_boundary_is_as_much_further() -> None:
    """A linear purifier of slope c moves the boundary c times further away than it is from the anchor."""
    answer = minimal(places=("anchor", "defence"), halvings=10).minimal_radius.sel(draw=0)
    known = np.minimum(2 * boundary(SHRINKING.function(RIGHT.images), 1), np.inf)
    found = answer.sel(place="defence").values
    reached = known < 0.25  # nearer than where pixels meet 0 or 1
    assert reached.sum() >= 2
    np.testing.assert_allclose(found[reached], known[reached], atol=0.5 / 2**10)


def test_the_defence_is_attacked_with_the_adversary_s_gradient() -> None:
    black_box = wrap(SHRINKING.function, name="black box", differentiability="none")
    with pytest.raises(ValueError, match="declares differentiability 'none'"):
        minimal(black_box, places=("defence",))
    through = minimal(black_box, places=("defence",), attack=Adversary(PGD(), gradient=BPDA()))
    np.testing.assert_allclose(through.minimal_radius, minimal(places=("defence",)).minimal_radius, atol=RESOLUTION)


def test_anchors_outside_the_range_are_clamped() -> None:
    """Beyond one lies a class that no image reaches: unclamped, anchors there would be wrong at once."""

    def only_beyond(images):
        excess = images.mean((1, 2, 3)) - 1.1
        return torch.stack([-excess, excess], 1)

    assert (3 * BATCH.images).mean((1, 2, 3)).min() > 1.1
    batch = replace(BATCH, labels=BATCH.labels * 0)
    tripling = wrap(lambda images: 3 * images, name="tripling")
    answer = minimal(tripling, batch, classifier=wrap(only_beyond, name="only beyond"), places=("anchor",))
    assert np.isinf(answer.minimal_radius).all()


def test_places_and_draws_have_coordinates_and_the_clean_image_one_answer() -> None:
    answer = minimal(Scale(0.8), draws=2)
    assert answer.minimal_radius.dims == ("place", "draw", "image")
    assert answer.place.values.tolist() == ["clean image", "anchor"]
    clean, anchor = answer.minimal_radius.values
    np.testing.assert_array_equal(clean[0], clean[1])
    assert (anchor[0] != anchor[1]).any()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"places": ("here",)}, r"MinimalPerturbation\.places must be a tuple of distinct ones"),
        ({"places": ()}, r"MinimalPerturbation\.places"),
        ({"largest": 8.0}, "linf radius within"),
        ({"largest": 0.0}, r"Bisection\.largest must be above zero"),
        ({"halvings": 0}, r"MinimalPerturbation\.halvings"),
        ({"draws": 0}, r"MinimalPerturbation\.draws"),
    ],
)
def test_wrong_settings_are_named(settings, message) -> None:
    with pytest.raises(ValueError, match=message):
        MinimalPerturbation(LINEAR, **settings)
