"""What is wrong with a defence is said where it is first seen, and does not spoil what is not wrong."""

from dataclasses import dataclass, replace

import pytest
import torch

from purigeom.attacks.losses import climbing
from purigeom.attacks.pgd import PGD
from purigeom.defence.checks import labels_of
from purigeom.defence.gradients import BPDA
from purigeom.defence.judge import correct
from purigeom.defence.knowledge import EOT, Unaware
from purigeom.geometry.chain import Chain
from purigeom.protocols import Batch
from purigeom.purifiers.wrapped import wrap
from tests.targets import BATCH, IMAGES, LINEAR, NOISE, WEIGHT, linear, target_of

BRIGHT = 2
"""The image that breaks: its place in the batch."""
CE = climbing("ce", BATCH.labels)


def steep(state, hit):
    """Return zero, with an infinite slope where hit."""
    return (state - state.detach() + (~hit).to(state)).sqrt() - (~hit).to(state)


@dataclass(frozen=True)
class Breaking:
    """A chain of three steps with noise; the second breaks at images whose first pixel is a chosen one."""

    depth: int
    pixel: float
    value: bool

    def pin(self, noise, image_shape):
        def second(state):
            hit = (state[:, :1, :1, :1] - self.pixel).abs() < 1e-12
            if self.value:
                return torch.where(hit, torch.nan, state)
            return state + steep(state, hit)

        return Chain((lambda images: 1 * images, second, lambda state: state + 0.1 * noise.normal_like(state)))


def breaking(value=False):
    return Breaking(33, float(IMAGES[BRIGHT, 0, 0, 0]), value)


@pytest.mark.parametrize("knowledge", [EOT(2), EOT(2, "logits")], ids=lambda knowledge: knowledge.label)
@pytest.mark.parametrize(
    ("value", "where"), [(False, "in the gradient of step 2 of 3"), (True, "as the value of step 2 of 3")]
)
def test_a_broken_gradient_names_image_step_and_purifier(knowledge, value, where) -> None:
    target = target_of(purifier=breaking(value), knowledge=knowledge)
    loss, gradient = target.slope(IMAGES, CE)
    assert list(target.ledger.broken) == [BATCH.image_ids[BRIGHT]]
    said = target.ledger.broken[BATCH.image_ids[BRIGHT]]
    assert said.startswith(f"Image {BATCH.image_ids[BRIGHT]}: NaN or infinity {where}, behind Breaking(depth=33")
    assert loss[BRIGHT] == -torch.inf
    assert not gradient[BRIGHT].any()
    assert gradient.isfinite().all()
    assert loss[[0, 1, 3, 4, 5]].isfinite().all()


@pytest.mark.parametrize("value", [False, True])
def test_the_other_images_are_attacked_as_if_it_were_not_there(value) -> None:
    attack, others = PGD(5, random_start=False), [0, 1, 3, 4, 5]
    harmless = Breaking(33, -1.0, value)
    broken, sound = (attack(target_of(purifier=one), BATCH, NOISE, 0.1) for one in (breaking(value), harmless))
    without = Batch(IMAGES[others], BATCH.labels[others], tuple(BATCH.image_ids[place] for place in others))
    absent = attack(target_of(without, purifier=breaking(value)), without, NOISE[others], 0.1)
    assert torch.equal(broken[others], sound[others])
    assert torch.equal(broken[others], absent)
    assert torch.equal(broken[BRIGHT], IMAGES[BRIGHT])


@pytest.mark.parametrize("settings", [{"gradient": BPDA()}, {"knowledge": Unaware()}, {}], ids=str)
def test_a_gradient_that_breaks_in_the_classifier_is_not_blamed_on_the_purifier(settings) -> None:
    def poisoned(images):
        return linear(images) + steep(linear(images), (images[:, :1, 0, 0] == IMAGES[BRIGHT, 0, 0, 0]))

    target = target_of(classifier=wrap(poisoned, name="poisoned"), **settings)
    target.slope(IMAGES, CE)
    assert list(target.ledger.broken) == [BATCH.image_ids[BRIGHT]]
    assert "NaN or infinity in the classifier or the loss" in target.ledger.broken[BATCH.image_ids[BRIGHT]]


def test_the_first_place_stays_in_the_ledger() -> None:
    target = target_of(purifier=breaking())
    for _ in range(2):
        target.slope(IMAGES, CE)
    assert len(target.ledger.broken) == 1


@pytest.mark.parametrize("asked", ["slope", "logits", "judge"])
def test_probabilities_are_told_from_logits(asked) -> None:
    soft = wrap(lambda images: linear(images).softmax(1), name="soft")
    target = target_of(classifier=soft)
    ask = {
        "slope": lambda: target.slope(IMAGES, CE),
        "logits": lambda: target.logits(IMAGES),
        "judge": lambda: correct(target.defence, IMAGES, BATCH.labels, NOISE),
    }
    with pytest.raises(ValueError, match=r"'soft'.* returns probabilities.* leave out its softmax"):
        ask[asked]()


def test_positive_logits_are_no_probabilities() -> None:
    target_of(classifier=wrap(lambda images: linear(images).exp(), name="positive")).logits(IMAGES)


def test_answers_of_another_shape_are_refused() -> None:
    flat = wrap(lambda images: images.flatten(1) @ WEIGHT[0], name="flat")
    with pytest.raises(ValueError, match=r"'flat'.* must return one row of logits per image; got shape \(6,\)"):
        target_of(classifier=flat).logits(IMAGES)


def test_judges_check_labels_and_numbers() -> None:
    defence = target_of().defence
    with pytest.raises(ValueError, match="Labels must lie between 0 and 2"):
        correct(defence, IMAGES, torch.full((6,), 7), NOISE)
    lost = wrap(lambda images: linear(images) / 0, name="lost")
    with pytest.raises(ValueError, match="answers NaN or infinity for a purified image"):
        correct(target_of(classifier=lost).defence, IMAGES, BATCH.labels, NOISE)


def test_a_judge_says_which_images_are_classified_right() -> None:
    right = linear(IMAGES).argmax(1)
    assert correct(target_of(classifier=LINEAR).defence, IMAGES, right, NOISE).all()
    assert not correct(target_of(classifier=LINEAR).defence, IMAGES, (right + 1) % 3, NOISE).any()


@pytest.mark.parametrize(
    ("labels", "came"),
    [
        (torch.zeros(6), r"\(6,\) numbers of torch.float32"),
        (torch.zeros(6, 3, dtype=torch.int64), r"\(6, 3\) numbers of torch.int64"),
        (torch.zeros(5, dtype=torch.int64), r"\(5,\) numbers"),
    ],
    ids=["soft", "one-hot", "too-few"],
)
def test_labels_that_number_no_classes_are_refused(labels, came) -> None:
    with pytest.raises(ValueError, match=f"one whole number per image, of 6 images; got {came}"):
        labels_of(replace(BATCH, labels=labels))


def test_labels_of_any_whole_type_are_taken() -> None:
    assert torch.equal(labels_of(replace(BATCH, labels=BATCH.labels.to(torch.int32))), BATCH.labels)


def test_probabilities_are_told_though_one_row_is_no_number() -> None:
    def soft(images):
        rows = linear(images).softmax(1)
        return torch.cat([rows[:1] * torch.nan, rows[1:]])

    with pytest.raises(ValueError, match="returns probabilities"):
        target_of(classifier=wrap(soft, name="soft")).logits(IMAGES)
