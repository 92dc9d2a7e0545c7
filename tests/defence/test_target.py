"""What a target answers: which configurations, in which company, at what cost."""

from dataclasses import dataclass, replace

import pytest
import torch

from purigeom.attacks.losses import climbing
from purigeom.catalog import CLASSIFIERS, DIGITS_UNET
from purigeom.defence.gradients import BPDA, Withheld
from purigeom.defence.knowledge import EOT, Fixed, Fresh, Unaware
from purigeom.images import Digits
from purigeom.purifiers.diffusion.ddpm import DDPM
from purigeom.purifiers.gaussian import GaussianNoise
from purigeom.purifiers.wrapped import wrap
from tests.targets import BATCH, IMAGES, NOISE, target_of

DIGITS = Digits()[:5].load()
DIGITS = replace(DIGITS, images=DIGITS.images.double())
STEPS = 3
PURIFIER = DDPM(DIGITS_UNET, depth=60, steps=STEPS)
CE = climbing("ce", DIGITS.labels)
CURVED = wrap(lambda images: torch.tanh(3 * images.flatten(1)[:, :3]) * 2, name="curved")
KNOWLEDGE = (Fixed(), Fresh(), EOT(3), EOT(3, "logits"), Unaware())
each_knowledge = pytest.mark.parametrize("knowledge", KNOWLEDGE, ids=lambda knowledge: knowledge.label)


def digits(**settings):
    return target_of(DIGITS, PURIFIER, CLASSIFIERS["digits"], **settings)


def test_the_mean_of_losses_has_the_mean_of_the_draws_gradients() -> None:
    batched = digits(knowledge=EOT(4)).slope(DIGITS.images, CE, query=7)
    draws = EOT(4).draws(digits().configuration, digits().attacker, 7)
    apart = [replace(digits(), configuration=draw).slope(DIGITS.images, CE) for draw in draws]
    for together, singles in zip(batched, zip(*apart, strict=True), strict=True):
        torch.testing.assert_close(together, torch.stack(singles).mean(0), rtol=1e-9, atol=1e-12)


def test_the_loss_of_mean_logits_has_the_cotangent_of_the_mean_at_every_draw() -> None:
    loss, gradient = digits(knowledge=EOT(4, "logits")).slope(DIGITS.images, CE, query=7)
    draws = EOT(4).draws(digits().configuration, digits().attacker, 7)
    point = DIGITS.images.clone().requires_grad_()
    mean = torch.stack([replace(digits(), configuration=draw).answer(point)[0] for draw in draws]).mean(0)
    torch.testing.assert_close(loss, CE(mean))
    torch.testing.assert_close(gradient, torch.autograd.grad(CE(mean).sum(), point)[0], rtol=1e-9, atol=1e-12)


def test_the_two_conventions_differ() -> None:
    one, other = (digits(knowledge=EOT(4, average)).slope(DIGITS.images, CE)[1] for average in ("losses", "logits"))
    assert not torch.allclose(one, other, rtol=1e-2)


@each_knowledge
def test_a_query_is_answered_the_same_way_whenever_it_is_asked(knowledge) -> None:
    target = digits(knowledge=knowledge)
    first, second, again = (target.logits(DIGITS.images, query) for query in (0, 1, 0))
    assert torch.equal(first, again)
    knows_all = isinstance(knowledge, Fixed | Unaware)
    assert torch.equal(first, second) == knows_all


@each_knowledge
def test_some_images_in_any_order_get_the_answers_they_get_among_all(knowledge) -> None:
    target, places = digits(knowledge=knowledge), [3, 0, 4, 3]
    loss, gradient = target.slope(DIGITS.images, CE, 2)
    labels = climbing("ce", DIGITS.labels[places])
    some_loss, some_gradient = target[places].slope(DIGITS.images[places], labels, 2)
    torch.testing.assert_close(some_loss, loss[places])
    torch.testing.assert_close(some_gradient, gradient[places], rtol=1e-9, atol=1e-12)


@each_knowledge
def test_every_row_may_have_a_query_of_its_own(knowledge) -> None:
    target = digits(knowledge=knowledge)
    mixed = target.logits(DIGITS.images, [0, 1, 2, 1, 0])
    for place, query in enumerate([0, 1, 2, 1, 0]):
        torch.testing.assert_close(mixed[:, place], target.logits(DIGITS.images, query)[:, place])


@each_knowledge
def test_parts_change_nothing(knowledge) -> None:
    whole, parts = digits(knowledge=knowledge), digits(knowledge=knowledge, pixels_at_once=2 * 64)
    for one, other in zip(whole.slope(DIGITS.images, CE), parts.slope(DIGITS.images, CE), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)
    assert whole.ledger == parts.ledger


def test_repeated_images_get_their_own_noise_again() -> None:
    target = digits(knowledge=Fresh())
    twice = target.repeat(2).logits(DIGITS.images.repeat(2, 1, 1, 1))
    torch.testing.assert_close(twice[:, :5], twice[:, 5:])
    torch.testing.assert_close(twice[:, :5], target.logits(DIGITS.images))


@dataclass(frozen=True)
class Greedy:
    """Run out of memory, in one of the two passes, when more than so many images travel together."""

    most: int
    backward: bool

    def pin(self, noise, image_shape):
        def purify(images):
            if len(images) > self.most and not self.backward:
                raise torch.OutOfMemoryError
            images = images * 1
            if images.requires_grad:
                images.register_hook(self._refuse)
            return images + 0.1 * noise.normal_like(images)

        return purify

    def _refuse(self, gradient):
        if len(gradient) > self.most and self.backward:
            raise torch.OutOfMemoryError


@pytest.mark.parametrize("backward", [False, True])
def test_where_memory_runs_out_parts_are_halved_and_nothing_is_lost(backward) -> None:
    loss = climbing("ce", BATCH.labels)
    rich, poor = (target_of(purifier=Greedy(most, backward), knowledge=EOT(3)) for most in (100, 2))
    for one, other in zip(rich.slope(IMAGES, loss), poor.slope(IMAGES, loss), strict=True):
        torch.testing.assert_close(one, other)
    assert rich.ledger == poor.ledger
    with pytest.raises(torch.OutOfMemoryError):
        target_of(purifier=Greedy(0, backward)).slope(IMAGES, loss)


def test_another_error_is_not_taken_for_want_of_memory() -> None:
    def broken(images):
        message = "the roof is on fire"
        raise RuntimeError(message)

    with pytest.raises(RuntimeError, match="the roof is on fire"):
        target_of(purifier=wrap(broken, name="broken")).slope(IMAGES, climbing("ce", BATCH.labels))


def test_every_question_is_counted_image_by_image() -> None:
    target = digits(knowledge=EOT(3))
    target.slope(DIGITS.images, CE)
    target[[1]].logits(DIGITS.images[1:2])
    once, twice = DIGITS.image_ids[0], DIGITS.image_ids[1]
    assert (target.ledger.purifications[once], target.ledger.purifications[twice]) == (3, 6)
    assert (target.ledger.gradients[once], target.ledger.gradients[twice]) == (1, 1)
    # forward, and each step once more for its gradient
    assert (target.ledger.evaluations[once], target.ledger.evaluations[twice]) == (6 * STEPS, 9 * STEPS)


@pytest.mark.parametrize(
    ("settings", "purifications", "evaluations"),
    [
        ({}, 1, 2 * STEPS),
        ({"gradient": BPDA()}, 1, STEPS),
        ({"knowledge": EOT(4, "logits")}, 4, 8 * STEPS),
        ({"knowledge": Unaware()}, 0, 0),
    ],
)
def test_the_cost_of_one_gradient_is_known(settings, purifications, evaluations) -> None:
    target = digits(**settings)
    target.slope(DIGITS.images, CE)
    ids = DIGITS.image_ids
    assert target.ledger.purifications == dict.fromkeys(ids, purifications)
    assert target.ledger.evaluations == dict.fromkeys(ids, evaluations)
    assert target.ledger.gradients == dict.fromkeys(ids, 1)
    assert not target.ledger.broken


def test_fixed_knowledge_asks_the_configuration_itself_and_the_others_never_do() -> None:
    target = target_of(purifier=GaussianNoise(0.3), gradient=Withheld())
    pinned = GaussianNoise(0.3).pin(target.configuration, (1, 4, 4))(IMAGES)
    torch.testing.assert_close(target.purified(IMAGES)[0], pinned)
    for knowledge in (Fresh(), EOT(5)):
        for purified in replace(target, knowledge=knowledge).purified(IMAGES):
            assert not torch.isclose(purified, pinned).any()


def test_draws_of_all_queries_differ() -> None:
    draws = [noise for query in range(5) for noise in EOT(4).draws(NOISE, NOISE.child("attack"), query)]
    assert len({noise.path for noise in draws}) == 20


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: EOT(0), r"EOT\.count must be a whole number of at least 1; got 0"),
        (lambda: EOT(2, "votes"), r"EOT\.average must be one of \('losses', 'logits'\); got 'votes'"),
    ],
)
def test_wrong_expectations_are_refused(build, message) -> None:
    with pytest.raises(ValueError, match=message):
        build()
