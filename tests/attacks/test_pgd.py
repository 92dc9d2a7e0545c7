"""PGD on models whose best attack is known in closed form."""

from itertools import pairwise

import pytest
import torch
from torch.nn.functional import cross_entropy

from purigeom.attacks.pgd import PGD
from purigeom.catalog import ATTACKS
from purigeom.noise import Noise
from purigeom.protocols import Batch

WEIGHT = torch.randn(3, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
IMAGES = 0.3 + 0.4 * torch.rand(6, 1, 4, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
BATCH = Batch(IMAGES, torch.tensor([0, 1, 2, 0, 1, 2]), (1, 4, 5, 6, 8, 9))
NOISE = Noise(0, BATCH.image_ids)
RADIUS = 0.05


def linear(images):
    return images.flatten(1) @ WEIGHT.T


def two_classes(images):
    margin = images.flatten(1) @ WEIGHT[0]
    return torch.stack([margin, -margin], 1)


def losses(logits, images, batch=BATCH):
    return cross_entropy(logits(images), batch.labels, reduction="none")


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_the_best_attack_on_a_linear_margin_is_found(norm) -> None:
    """Against two linear classes the margin falls by the radius times the weight's dual norm, and no more."""
    batch = Batch(IMAGES, torch.tensor([0, 1] * 3), BATCH.image_ids)
    found = PGD(steps=30, norm=norm, relative_step=0.3)(two_classes, batch, NOISE, RADIUS)
    signs = 1 - 2 * batch.labels
    fallen = signs * ((IMAGES - found).flatten(1) @ WEIGHT[0])
    dual = WEIGHT[0].abs().sum() if norm == "linf" else WEIGHT[0].norm()
    torch.testing.assert_close(fallen, torch.full((6,), RADIUS * dual, dtype=torch.float64), rtol=1e-6, atol=0)


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
@pytest.mark.parametrize("radius", [0.0, 0.05, 0.7])
def test_every_attack_stays_in_its_ball_and_in_range(attack, radius) -> None:
    found = attack(linear, BATCH, NOISE, radius)
    displacement = (found - IMAGES).flatten(1)
    length = displacement.abs().amax(1) if attack.norm == "linf" else displacement.norm(dim=1)
    assert (length <= radius * (1 + 1e-9)).all()
    assert ((found >= 0) & (found <= 1)).all()


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_more_steps_never_lower_the_loss(norm) -> None:
    found = [losses(linear, PGD(steps, norm, 0.4)(linear, BATCH, NOISE, RADIUS)) for steps in (1, 2, 5, 10, 20)]
    for fewer, more in pairwise(found):
        assert (more >= fewer - 1e-12).all()


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_every_attack_is_a_function_of_its_noise(attack) -> None:
    once, again = (attack(linear, BATCH, NOISE, RADIUS) for _ in range(2))
    assert torch.equal(once, again)
    alone = attack(linear, BATCH[2:3], NOISE[2:3], RADIUS)
    torch.testing.assert_close(alone, once[2:3])


def test_the_best_iterate_is_no_worse_than_the_last() -> None:
    best, last = (
        losses(linear, PGD(5, relative_step=2.0, iterate=iterate)(linear, BATCH, NOISE, RADIUS))
        for iterate in ("best", "last")
    )
    assert (best >= last).all()


def test_without_a_random_start_the_first_step_leaves_the_image() -> None:
    found = PGD(1, relative_step=1.0, random_start=False, iterate="last")(linear, BATCH, NOISE, RADIUS)
    torch.testing.assert_close((found - IMAGES).abs(), torch.full_like(IMAGES, RADIUS))


def test_a_batch_without_labels_is_refused() -> None:
    with pytest.raises(ValueError, match="needs labels"):
        PGD()(linear, Batch(IMAGES, None, BATCH.image_ids), NOISE, RADIUS)


def test_a_defence_that_cuts_the_graph_is_refused() -> None:
    with pytest.raises(ValueError, match="cut the graph"):
        PGD()(lambda images: linear(images).detach(), BATCH, NOISE, RADIUS)


def test_a_gradient_that_is_no_number_is_refused_and_not_taken_for_robustness() -> None:
    def poisoned(images):
        return linear(images) + 0 * (images.flatten(1) - images.flatten(1)).abs().sqrt().sum(1, keepdim=True)

    with pytest.raises(ValueError, match="NaN or infinity as loss or gradient"):
        PGD()(poisoned, BATCH, NOISE, RADIUS)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"norm": "Linf"}, r"PGD\.norm must be one of \('linf', 'l2'\); got 'Linf'"),
        ({"iterate": "first"}, r"PGD\.iterate must be one of"),
        ({"relative_step": -1}, r"PGD\.relative_step must be above zero"),
    ],
)
def test_misspelt_options_are_refused(fields, message) -> None:
    with pytest.raises(ValueError, match=message):
        PGD(**fields)


def test_no_steps_are_refused() -> None:
    with pytest.raises(ValueError, match=r"PGD\.steps must be at least 1; got 0"):
        PGD(0)
