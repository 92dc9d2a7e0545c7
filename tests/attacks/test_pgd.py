"""PGD on models whose best attack is known in closed form."""

from itertools import pairwise

import pytest
import torch

from purigeom.attacks.adversary import told
from purigeom.attacks.apgd import APGD
from purigeom.attacks.ball import uphill
from purigeom.attacks.fgsm import FGSM
from purigeom.attacks.losses import climbing
from purigeom.attacks.pgd import PGD
from purigeom.catalog import ATTACKS
from purigeom.defence.gradients import Surrogate
from purigeom.defence.knowledge import EOT, Fresh
from purigeom.protocols import Batch
from purigeom.purifiers.gaussian import GaussianNoise
from purigeom.purifiers.wrapped import wrap
from tests.targets import BATCH, IMAGES, LINEAR, NOISE, TWO_CLASSES, WEIGHT, linear, target_of, two_classes

RADIUS = 0.05
WITHOUT_STEPS = {
    name: adversary
    for name, adversary in ATTACKS.items()
    if isinstance(adversary.attack, PGD) and not isinstance(adversary.gradient, Surrogate)
}


def attacked(attack, radius=RADIUS, batch=BATCH, **target):
    adversary = told(attack)
    asked = target_of(batch, knowledge=adversary.knowledge, gradient=adversary.gradient, **target)
    return adversary.attack(asked, batch, NOISE[[BATCH.image_ids.index(one) for one in batch.image_ids]], radius)


def losses(images, name="ce"):
    return climbing(name, BATCH.labels)(linear(images))


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("loss", ["ce", "cw"])
def test_the_best_attack_on_a_linear_margin_is_found(norm, loss) -> None:
    """Against two linear classes the margin falls by the radius times the weight's dual norm, and no more."""
    batch = Batch(IMAGES, torch.tensor([0, 1] * 3), BATCH.image_ids)
    attack = PGD(steps=30, norm=norm, relative_step=0.3, loss=loss)
    found = attacked(attack, batch=batch, classifier=TWO_CLASSES)
    signs = 1 - 2 * batch.labels
    fallen = signs * ((IMAGES - found).flatten(1) @ WEIGHT[0])
    dual = WEIGHT[0].abs().sum() if norm == "linf" else WEIGHT[0].norm()
    torch.testing.assert_close(fallen, torch.full((6,), RADIUS * dual, dtype=torch.float64), rtol=1e-6, atol=0)


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("knowledge", [EOT(3), EOT(3, "logits"), Fresh()], ids=lambda knowledge: knowledge.label)
def test_no_noise_in_front_of_a_linear_margin_hides_its_best_attack(norm, knowledge) -> None:
    """A translation changes no gradient of a linear margin, so every knowledge finds the same optimum."""
    batch = Batch(IMAGES, torch.tensor([0, 1] * 3), BATCH.image_ids)
    attack = PGD(steps=30, norm=norm, relative_step=0.3, iterate="last")
    target = target_of(batch, purifier=GaussianNoise(0.1), classifier=TWO_CLASSES, knowledge=knowledge)
    found = attack(target, batch, NOISE, RADIUS)
    fallen = (1 - 2 * batch.labels) * ((IMAGES - found).flatten(1) @ WEIGHT[0])
    dual = WEIGHT[0].abs().sum() if norm == "linf" else WEIGHT[0].norm()
    torch.testing.assert_close(fallen, torch.full((6,), RADIUS * dual, dtype=torch.float64), rtol=1e-6, atol=0)


@pytest.mark.parametrize("attack", WITHOUT_STEPS.values(), ids=WITHOUT_STEPS.keys())
@pytest.mark.parametrize("radius", [0.0, 0.05, 0.7])
def test_every_attack_stays_in_its_ball_and_in_range(attack, radius) -> None:
    found = attacked(attack, radius)
    displacement = (found - IMAGES).flatten(1)
    length = displacement.abs().amax(1) if attack.attack.norm == "linf" else displacement.norm(dim=1)
    assert (length <= radius * (1 + 1e-9)).all()
    assert ((found >= 0) & (found <= 1)).all()


@pytest.mark.parametrize("attack", WITHOUT_STEPS.values(), ids=WITHOUT_STEPS.keys())
def test_every_attack_is_a_function_of_its_noise_and_of_every_image_alone(attack) -> None:
    once, again = (attacked(attack, purifier=GaussianNoise(0.1)) for _ in range(2))
    assert torch.equal(once, again)
    torch.testing.assert_close(attacked(attack, batch=BATCH[2:3], purifier=GaussianNoise(0.1)), once[2:3])


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_more_steps_never_lower_the_loss(norm) -> None:
    found = [losses(attacked(PGD(steps, norm, 0.4))) for steps in (1, 2, 5, 10, 20)]
    for fewer, more in pairwise(found):
        assert (more >= fewer - 1e-12).all()


@pytest.mark.parametrize("loss", ["ce", "cw", "dlr"])
def test_an_attack_raises_the_loss_it_climbs(loss) -> None:
    found = attacked(PGD(loss=loss))
    assert (losses(found, loss) > losses(IMAGES, loss)).all()


def test_more_restarts_never_lower_the_loss_and_every_one_starts_elsewhere() -> None:
    one, three = (attacked(PGD(1, relative_step=0.1, restarts=restarts)) for restarts in (1, 3))
    assert (losses(three) >= losses(one)).all()
    assert not torch.equal(one, three)


def test_the_best_iterate_is_no_worse_than_the_last() -> None:
    best, last = (losses(attacked(PGD(5, relative_step=2.0, iterate=iterate))) for iterate in ("best", "last"))
    assert (best >= last).all()


def test_without_a_random_start_the_first_step_leaves_the_image() -> None:
    found = attacked(PGD(1, relative_step=1.0, random_start=False, iterate="last"))
    torch.testing.assert_close((found - IMAGES).abs(), torch.full_like(IMAGES, RADIUS))


def test_an_l2_step_goes_along_the_gradient_and_not_along_its_sign() -> None:
    found = attacked(PGD(1, "l2", relative_step=1.0, random_start=False, iterate="last", loss="cw"))
    best = linear(IMAGES).scatter(1, BATCH.labels[:, None], -torch.inf).argmax(1)
    slope = WEIGHT[best] - WEIGHT[BATCH.labels]
    torch.testing.assert_close((found - IMAGES).flatten(1), RADIUS * slope / slope.norm(dim=1, keepdim=True))


def test_the_clean_image_stays_where_there_is_no_gradient_to_follow() -> None:
    flat = wrap(lambda images: linear(images).detach() + 0 * linear(images), name="flat")
    assert torch.equal(attacked(PGD(3, random_start=False), classifier=flat), IMAGES)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"norm": "Linf"}, r"PGD\.norm must be one of \('linf', 'l2'\); got 'Linf'"),
        ({"iterate": "first"}, r"PGD\.iterate must be one of"),
        ({"loss": "mse"}, r"PGD\.loss must be one of \('ce', 'cw', 'dlr'\); got 'mse'"),
        ({"relative_step": -1}, r"PGD\.relative_step must be above zero"),
        ({"steps": 0}, r"PGD\.steps must be a whole number of at least 1; got 0"),
        ({"restarts": 0}, r"PGD\.restarts must be a whole number of at least 1; got 0"),
        ({"restarts": 2, "random_start": False}, r"PGD\.restarts needs random starts to differ"),
    ],
)
def test_misspelt_options_are_refused(fields, message) -> None:
    with pytest.raises(ValueError, match=message):
        PGD(**fields)


@pytest.mark.parametrize(
    ("norm", "radius", "message"),
    [
        ("linf", -0.1, r"PGD needs a finite radius of at least zero; got -0\.1"),
        ("l2", float("inf"), r"PGD needs a finite radius of at least zero; got inf"),
        ("l2", float("nan"), r"PGD needs a finite radius of at least zero; got nan"),
        (
            "linf",
            8,
            r"linf radius within \[0, 1\], as the pixels are; got 8\. If that is in units of 255, write 8 / 255",
        ),
    ],
)
def test_a_radius_that_is_none_is_refused(norm, radius, message) -> None:
    with pytest.raises(ValueError, match=message):
        attacked(PGD(norm=norm), radius)


@pytest.mark.parametrize("labels", [[0, 1, 2, 0, 1, 3], [0, 1, 2, 0, 1, -1]])
def test_labels_that_name_no_class_are_refused(labels) -> None:
    with pytest.raises(ValueError, match=r"Labels must lie between 0 and 2, .* last class; got \[(3|-1)\]"):
        attacked(PGD(), batch=Batch(IMAGES, torch.tensor(labels), BATCH.image_ids))


def test_a_batch_without_labels_is_refused() -> None:
    with pytest.raises(ValueError, match="needs labels"):
        attacked(PGD(), batch=Batch(IMAGES, None, BATCH.image_ids))


def test_dlr_needs_three_classes() -> None:
    with pytest.raises(ValueError, match="'dlr' needs at least 3 classes; the classifier has 2"):
        attacked(
            PGD(loss="dlr"), classifier=TWO_CLASSES, batch=Batch(IMAGES, torch.tensor([0, 1] * 3), BATCH.image_ids)
        )


def test_a_linear_classifier_is_what_the_tests_take_it_for() -> None:
    assert torch.equal(LINEAR.load()(IMAGES), linear(IMAGES))


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_gradients_too_short_to_be_squared_are_followed(norm) -> None:
    faint = wrap(lambda images: two_classes(images.double()), name="faint")
    images = IMAGES.float()

    def loss(logits):
        return 1e-30 * climbing("cw", BATCH.labels % 2)(logits).float()

    _, gradient = target_of(classifier=faint).slope(images, loss)
    assert (gradient.square() == 0).all()
    moved = uphill(gradient, norm, 0.5)
    assert (moved.flatten(1).norm(dim=1) > 0.49).all()


@pytest.mark.parametrize("attack", [PGD(2), APGD(2), FGSM()], ids=["pgd", "apgd", "fgsm"])
def test_images_in_other_units_are_refused(attack) -> None:
    batch = Batch(255 * IMAGES, BATCH.labels, BATCH.image_ids)
    with pytest.raises(ValueError, match=r"Images must lie in \[0, 1\]; image 1 spans"):
        attack(target_of(), batch, NOISE, 0.1)
