"""The module view: other libraries' attacks get an image's own noise, exact gradients, and are counted."""

from dataclasses import replace

import pytest
import torch

from purigeom.attacks.losses import climbing
from purigeom.catalog import CLASSIFIERS, DIGITS_UNET
from purigeom.defence.gradients import BPDA, Withheld
from purigeom.defence.knowledge import EOT, Fixed, Fresh, Unaware
from purigeom.defence.module import UnknownImageError, as_module
from purigeom.geometry.displacement import rescale
from purigeom.geometry.memory import peak_bytes
from purigeom.images import Digits
from purigeom.noise import Noise
from purigeom.protocols import Batch
from purigeom.purifiers.diffusion.ddpm import DDPM
from purigeom.purifiers.gaussian import GaussianNoise
from purigeom.purifiers.identity import Identity
from purigeom.purifiers.wrapped import wrap
from tests.targets import target_of

DIGITS = Digits()[:6].load()
STEPS = 3
PURIFIER = DDPM(DIGITS_UNET, depth=60, steps=STEPS)
RADIUS = 0.2
MOVED = (DIGITS.images + RADIUS * Noise(1, DIGITS.image_ids).sign_like(DIGITS.images)).clamp(0, 1)
KNOWLEDGE = (Fixed(), Fresh(), EOT(3, "logits"), Unaware())
each_knowledge = pytest.mark.parametrize("knowledge", KNOWLEDGE, ids=lambda knowledge: knowledge.label)


def digits(**settings):
    return target_of(DIGITS, PURIFIER, CLASSIFIERS["digits"], **settings)


def answered(module, images, labels):
    """Return what anyone's attack asks a module for: logits, and the loss's gradient."""
    point = images.clone().requires_grad_()
    logits = module(point)
    torch.nn.functional.cross_entropy(logits, labels, reduction="sum").backward()
    return logits.detach(), point.grad


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)


@each_knowledge
def test_a_module_answers_as_its_target_does(knowledge) -> None:
    module = as_module(digits(knowledge=knowledge), DIGITS, RADIUS)
    logits, gradient = answered(module, MOVED, DIGITS.labels)
    target = digits(knowledge=knowledge)
    torch.testing.assert_close(logits, target.logits(MOVED).mean(0))
    torch.testing.assert_close(gradient, target.slope(MOVED, climbing("ce", DIGITS.labels))[1], rtol=1e-4, atol=1e-7)


@each_knowledge
def test_images_alone_and_together_get_the_same_answers_and_gradients(knowledge) -> None:
    module = as_module(digits(knowledge=knowledge), DIGITS, RADIUS)
    together = [answered(module, MOVED, DIGITS.labels) for _ in range(2)]
    for place in range(len(DIGITS)):
        one = slice(place, place + 1)
        alone = as_module(digits(knowledge=knowledge)[one], DIGITS[one], RADIUS)
        for logits, gradient in together:
            assert_same(answered(alone, MOVED[one], DIGITS.labels[one]), (logits[one], gradient[one]))


@each_knowledge
def test_some_images_in_another_order_get_the_same_answers_and_gradients(knowledge) -> None:
    """Three calls of AutoAttack's kind: all, what is left of them in another order, and all again."""
    module = as_module(digits(knowledge=knowledge), DIGITS, RADIUS)
    calls = [[0, 1, 2, 3, 4, 5], [4, 1, 5], [5, 4, 3, 2, 1, 0]]
    found = [answered(module, MOVED[places], DIGITS.labels[places]) for places in calls]
    target, asked = digits(knowledge=knowledge), dict.fromkeys(range(6), 0)
    for places, answer in zip(calls, found, strict=True):
        for row, place in enumerate(places):
            one = slice(place, place + 1)
            expected = target[one].slope(MOVED[one], climbing("ce", DIGITS.labels[one]), asked[place])[1]
            torch.testing.assert_close(answer[1][row : row + 1], expected, rtol=1e-3, atol=1e-5)
            asked[place] += 1


def test_an_image_that_comes_twice_meets_its_next_two_configurations() -> None:
    module = as_module(digits(knowledge=Fresh()), DIGITS, RADIUS)
    rows = module(MOVED[[2, 0, 2]])
    target = digits(knowledge=Fresh())
    expected = [target[[place]].logits(MOVED[[place]], query)[0, 0] for place, query in [(2, 0), (0, 0), (2, 1)]]
    torch.testing.assert_close(rows, torch.stack(expected), rtol=1e-3, atol=1e-4)


def test_under_fixed_knowledge_every_row_of_an_image_gets_the_same_answer() -> None:
    module = as_module(digits(), DIGITS, RADIUS)
    torch.testing.assert_close(module(MOVED[[2, 0, 2]])[0], module(MOVED[[2]])[0], rtol=1e-3, atol=1e-4)


def test_its_memory_does_not_grow_with_the_steps() -> None:
    def bytes_needed(steps):
        target = target_of(DIGITS, DDPM(DIGITS_UNET, depth=100, steps=steps), CLASSIFIERS["digits"])
        return peak_bytes(lambda: answered(as_module(target, DIGITS, RADIUS), MOVED, DIGITS.labels))[1]

    few, many = bytes_needed(5), bytes_needed(50)
    states = 45 * DIGITS.images.numel() * 4
    assert many < 1.05 * few + 4 * states


@pytest.mark.parametrize(
    ("settings", "purifications", "evaluations"),
    [({}, 1, 2 * STEPS), ({"gradient": BPDA()}, 1, STEPS), ({"knowledge": EOT(4, "logits")}, 4, 8 * STEPS)],
)
def test_what_a_library_asks_is_counted(settings, purifications, evaluations) -> None:
    target = digits(**settings)
    module = as_module(target, DIGITS, RADIUS)
    answered(module, MOVED, DIGITS.labels)
    answered(module, MOVED[:2], DIGITS.labels[:2])
    with torch.no_grad():
        module(MOVED[:1])
    first, last = DIGITS.image_ids[0], DIGITS.image_ids[5]
    assert (target.ledger.gradients[first], target.ledger.gradients[last]) == (2, 1)
    assert (target.ledger.purifications[first], target.ledger.purifications[last]) == (3 * purifications, purifications)
    forward = purifications * STEPS
    assert (target.ledger.evaluations[first], target.ledger.evaluations[last]) == (
        2 * evaluations + forward,
        evaluations,
    )


def test_every_backward_pass_of_a_kept_graph_is_counted() -> None:
    target = digits()
    point = MOVED.clone().requires_grad_()
    logits = as_module(target, DIGITS, RADIUS)(point)
    for wanted in range(3):
        torch.autograd.grad(logits[:, wanted].sum(), point, retain_graph=True)
    assert target.ledger.gradients == dict.fromkeys(DIGITS.image_ids, 3)
    assert target.ledger.evaluations == dict.fromkeys(DIGITS.image_ids, 4 * STEPS)


def test_it_is_an_ordinary_module() -> None:
    module = as_module(digits(), DIGITS, RADIUS)
    assert isinstance(module, torch.nn.Module)
    assert not module.training
    assert next(module.parameters()).device == DIGITS.images.device
    assert not as_module(digits(gradient=Withheld()), DIGITS, RADIUS)(MOVED.clone().requires_grad_()).requires_grad


def test_the_mean_of_losses_is_refused() -> None:
    with pytest.raises(ValueError, match=r"as_module cannot serve EOT\(count=3, average='losses'\).* average='logits'"):
        as_module(digits(knowledge=EOT(3)), DIGITS, RADIUS)
    as_module(digits(knowledge=EOT(1)), DIGITS, RADIUS)


def test_a_row_that_is_nobody_s_is_refused_by_name() -> None:
    module = as_module(digits(), DIGITS, 0.05)
    with pytest.raises(UnknownImageError, match=r"Row \d of 6 is 0\.2 from the nearest clean image, \d+; .* one image"):
        module(MOVED)


def test_images_too_close_to_tell_apart_are_refused_and_go_one_by_one() -> None:
    near = Batch(torch.cat([DIGITS.images[:1], DIGITS.images[:1] * 0.9]), DIGITS.labels[:2], (7, 9))
    target = target_of(near, GaussianNoise(0.1), CLASSIFIERS["digits"])
    with pytest.raises(UnknownImageError, match=r"Images 7 and 9 are 0\.09375 apart: .* one image at a time"):
        as_module(target, near, RADIUS)
    alone = as_module(target[:1], near[:1], RADIUS)
    torch.testing.assert_close(alone(1 - near.images[:1]), target[:1].logits(1 - near.images[:1])[0])


def test_in_l2_images_are_told_apart_by_their_l2_distance() -> None:
    far = (DIGITS.images[:2] + torch.tensor([0.0, 0.1]).reshape(2, 1, 1, 1)).clamp(0, 1)
    twins = Batch(torch.stack([far[0], (far[0] + 0.15).clamp(0, 1)]), DIGITS.labels[:2], (7, 9))
    target = target_of(twins, GaussianNoise(0.1), CLASSIFIERS["digits"])
    with pytest.raises(UnknownImageError, match="linf radius"):
        as_module(target, twins, 0.3)
    assert as_module(target, twins, 0.3, "l2")(twins.images).shape == (2, 10)


def test_a_batch_of_other_images_is_refused() -> None:
    with pytest.raises(ValueError, match="as_module needs the target's images"):
        as_module(digits(), replace(DIGITS, image_ids=tuple(range(6))), RADIUS)


def test_nobody_gets_no_logits() -> None:
    module = as_module(digits(), DIGITS, RADIUS)
    assert module(DIGITS.images[:0]).shape == (0, 10)


def test_a_backward_pass_that_fails_spoils_no_later_count() -> None:
    target = digits()
    module = as_module(target, DIGITS, RADIUS)

    def fail(_gradient):
        raise ArithmeticError

    point = DIGITS.images.clone().requires_grad_()
    halfway = point * 1
    halfway.register_hook(fail)
    with pytest.raises(ArithmeticError):
        module(halfway).sum().backward()
    before = dict(target.ledger.evaluations)
    answered(module, DIGITS.images, DIGITS.labels)
    spent = {target.ledger.evaluations[one] - before[one] for one in DIGITS.image_ids}
    assert spent == {3 * STEPS - STEPS}


def test_l2_attacks_on_large_batches_of_colour_images_stay_known() -> None:
    images = 0.1 + 0.8 * torch.rand(40, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    batch = Batch(images, torch.zeros(40, dtype=torch.int64), tuple(range(40)))
    plain = wrap(lambda images: images.flatten(1)[:, :2], name="two pixels")
    module = as_module(target_of(batch, Identity(), plain), batch, 0.05, "l2")
    moved = images + rescale(Noise(0, batch.image_ids).normal_like(images), "l2", 0.05)
    torch.testing.assert_close(module(moved), moved.flatten(1)[:, :2])
