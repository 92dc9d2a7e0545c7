"""Claims about how classifiers are trained: which images a step sees, how they are changed, and against whom."""

from itertools import chain, pairwise

import pytest
import torch
from torch.nn.functional import cross_entropy

from purigeom.networks.whitened import whitened
from purigeom.noise import Noise
from purigeom.training.classifier import (
    BIAS_FACTOR,
    SHIFT,
    ClassifierRecipe,
    _augmented,
    _chosen,
    _training,
    _worst,
    classifier,
    normalisation,
    triangle,
)
from purigeom.training.descent import Run
from purigeom.training.hardware import Hardware
from tests.training.made import patterned

SMALL = (8, 12, 12)
COUNT = 24
IDS = torch.arange(COUNT)
IMAGES = patterned(COUNT).images


def seen(recipe: ClassifierRecipe, epoch: int) -> list[list[int]]:
    """Return the images of every step of an epoch."""
    count = COUNT // recipe.batch
    steps = [_chosen(step, recipe, COUNT) for step in range(epoch * count, (epoch + 1) * count)]
    assert {found for _, found in steps} == {epoch}
    return [images.tolist() for images, _ in steps]


def test_every_image_comes_once_per_epoch_in_an_order_of_its_own() -> None:
    epochs = [seen(ClassifierRecipe(2, batch=6), epoch) for epoch in range(2)]
    orders = [list(chain.from_iterable(steps)) for steps in epochs]
    assert [sorted(order) for order in orders] == [list(range(COUNT))] * 2
    assert orders[0] != orders[1]
    assert seen(ClassifierRecipe(2, batch=6, seed=1), 0) != epochs[0]


def test_what_fills_no_batch_is_left_out_and_nothing_comes_twice() -> None:
    (order,) = seen(ClassifierRecipe(1, batch=20), 0)
    assert len(order) == len(set(order)) == 20


def unshifted(images: torch.Tensor) -> torch.Tensor:
    return images[..., SHIFT:-SHIFT, SHIFT:-SHIFT]


def places(shown: torch.Tensor, images: torch.Tensor) -> list[tuple[int, int] | None]:
    """Return by how many rows and columns each image was shifted, None where it is no shift of the image."""
    steps = [(row, column) for row in range(-SHIFT, SHIFT + 1) for column in range(-SHIFT, SHIFT + 1)]
    moved = {step: unshifted(images.roll(step, (-2, -1))) for step in steps}
    inner = unshifted(shown)
    return [next((step for step in steps if torch.equal(moved[step][k], inner[k])), None) for k in range(len(images))]


def test_images_are_mirrored_in_every_other_epoch_and_shifted_by_two_pixels_at_most() -> None:
    mirrored = []
    shifts = set()
    for epoch in range(4):
        shown = _augmented(IMAGES, IDS, epoch, Noise(0, tuple(range(COUNT)), ("train", epoch)))
        plain, turned = places(shown, IMAGES), places(shown, IMAGES.flip(-1))
        assert all((one is None) != (other is None) for one, other in zip(plain, turned, strict=True))
        mirrored.append([one is None for one in plain])
        shifts |= {one or other for one, other in zip(plain, turned, strict=True)}
    assert all(before == [not one for one in after] for before, after in pairwise(mirrored))
    assert 0 < sum(mirrored[0]) < COUNT, "not all images turn at once"
    assert len(shifts) > 12, "of 25 shifts, 96 draws find most"


def test_a_shift_takes_what_it_needs_from_the_mirrored_border() -> None:
    shown = _augmented(IMAGES, IDS, 0, Noise(0, tuple(range(COUNT)), ("train", 0)))
    assert shown.shape == IMAGES.shape
    row = places(shown, IMAGES.flip(-1))
    place = next(k for k, step in enumerate(row) if step is not None and step[0] == 2)
    assert torch.equal(shown[place, :, 1], shown[place, :, 3]), "rows mirror at the first"


@pytest.mark.parametrize("steps", [1, 3])
def test_the_adversarial_example_stays_in_its_ball_and_raises_the_loss(steps) -> None:
    torch.manual_seed(0)
    batch, radius = patterned(16), 8 / 255
    network = whitened(*normalisation(batch), SMALL).eval()
    recipe = ClassifierRecipe(1, radius=radius, attack_steps=steps)
    moved = _worst(network, batch.images, batch.labels, recipe, Noise(0, batch.image_ids))
    assert (moved - batch.images).abs().max() <= radius + 1e-6
    assert moved.min() >= 0
    assert moved.max() <= 1
    assert not moved.requires_grad
    losses = [cross_entropy(network(images), batch.labels, reduction="none") for images in (batch.images, moved)]
    assert (losses[1] > losses[0]).all()


def test_without_a_radius_nobody_attacks() -> None:
    assert _worst(pytest.fail, IMAGES, IDS, ClassifierRecipe(1), Noise(0, tuple(range(COUNT)))) is IMAGES


def test_the_rate_rises_to_its_peak_and_falls_to_its_end() -> None:
    share = triangle(100, start=0.2, peak=0.25, end=0.05)
    assert [share(step) for step in (0, 25, 100)] == pytest.approx([0.2, 1, 0.05])
    assert share(10) < share(20) > share(90)


def test_half_precision_ends_near_the_full_one() -> None:
    batch = patterned(64)
    recipe = ClassifierRecipe(4, peak_rate=0.5, batch=32, widths=SMALL)
    networks = [classifier(batch, recipe, Run(Hardware(half_precision=half))) for half in (False, True)]
    with torch.no_grad():
        full, half = (network(batch.images) for network in networks)
    assert all(weight.dtype == torch.float32 for weight in networks[1].parameters())
    assert not torch.equal(full, half)
    assert (half - full).norm() < 0.1 * full.norm()


def test_only_the_biases_of_normalisations_learn_faster() -> None:
    network = whitened(*normalisation(patterned(16)), SMALL)
    others, biases = _training(network, ClassifierRecipe(1), count=10).optimiser.param_groups
    assert biases["lr"] == BIAS_FACTOR * others["lr"]
    assert [len(bias) for bias in biases["params"]] == [width for width in SMALL for _ in range(2)]
    assert any(parameter is network[1].bias for parameter in others["params"]), "the whitening layer's is no faster"
    found = {id(parameter) for group in (others, biases) for parameter in group["params"]}
    assert found == {id(parameter) for parameter in network.parameters() if parameter.requires_grad}
