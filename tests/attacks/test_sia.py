"""SIA: every operator against a plain loop over blocks, exact gradients through them, and noise that follows images."""

from functools import partial

import pytest
import torch
from scipy.fft import dctn, idctn
from torch.nn.functional import interpolate

from purigeom.attacks.blocks import Blocks
from purigeom.attacks.mi_fgsm import MIFGSM
from purigeom.attacks.sia import SIA
from purigeom.attacks.transformations import DROPPED, NOISE_RADIUS, OPERATORS, SEVEN, TEN, transformed
from purigeom.defence.knowledge import EOT, Fixed, Fresh
from purigeom.noise import Noise
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
    losses,
    target,
    two_classes,
)

SHAPES = {"digits": (6, 1, 8, 8), "colour": (6, 3, 32, 32), "wide": (6, 2, 9, 14)}


def some_images(shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


def blocks_of(images, noise=NOISE, count=3):
    """Return the grid, and for every image its blocks as pairs of slices, read off the grid pixel by pixel."""
    laid = Blocks.drawn(noise, images, count)
    found = []
    for rows, columns in zip(laid.rows.number, laid.columns.number, strict=True):
        cut = [[(axis == number).nonzero().flatten() for number in range(count)] for axis in (rows, columns)]
        slices = [[slice(int(places[0]), int(places[-1]) + 1) for places in axis] for axis in cut]
        found.append([(one, other) for one in slices[0] for other in slices[1]])
    return laid, found


def by_loop(images, found, operator):
    result = images.clone()
    for image, blocks in enumerate(found):
        for number, block in enumerate(blocks):
            where = (slice(image, image + 1), slice(None), *block)
            result[where] = operator(images[where], image, number)
    return result


def plain_resize(block):
    height, width = block.shape[2:]
    smaller = interpolate(block, (int(height * 0.8) + 1, int(width * 0.8) + 1), mode="bilinear", align_corners=False)
    return interpolate(smaller, (height, width), mode="bilinear", align_corners=False)


def plain_low_pass(block):
    waves = dctn(block.numpy(), axes=(2, 3))
    rows, columns = (int(size * 0.4) for size in block.shape[2:])
    waves[:, :, block.shape[2] - rows :] = 0
    waves[:, :, :, block.shape[3] - columns :] = 0
    return torch.from_numpy(idctn(waves, axes=(2, 3)))


PLAIN = {
    "vertical flip": lambda block: block.flip(2),
    "horizontal flip": lambda block: block.flip(3),
    "rotation": lambda block: block.rot90(2, (2, 3)),
    "resize": plain_resize,
    "low pass": plain_low_pass,
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
@pytest.mark.parametrize("name", PLAIN)
def test_an_operator_does_to_all_blocks_what_it_does_to_one(name, shape) -> None:
    images = some_images(shape)
    laid, found = blocks_of(images)
    expected = by_loop(images, found, lambda block, image, number: PLAIN[name](block))
    torch.testing.assert_close(OPERATORS[name](images, laid, NOISE), expected)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
@pytest.mark.parametrize(("name", "dimension"), [("vertical shift", 2), ("horizontal shift", 3)])
def test_a_shift_rolls_every_block(name, dimension, shape) -> None:
    images = some_images(shape)
    laid, found = blocks_of(images)
    words = NOISE.words_like(laid.template(images)).flatten(1)

    def roll(block, image, number):
        return block.roll(int(words[image, number]) % block.shape[dimension], dimension)

    torch.testing.assert_close(OPERATORS[name](images, laid, NOISE), by_loop(images, found, roll))


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_a_scaled_block_is_darker_by_one_factor(shape) -> None:
    images = some_images(shape)
    laid, found = blocks_of(images)
    factors = ((NOISE.uniform_like(laid.template(images)) + 1) / 2).flatten(1)
    assert ((factors >= 0) & (factors <= 1)).all()
    expected = by_loop(images, found, lambda block, image, number: factors[image, number] * block)
    torch.testing.assert_close(OPERATORS["scale"](images, laid, NOISE), expected)


def test_noise_moves_pixels_within_its_radius_and_the_range() -> None:
    images = some_images((6, 3, 32, 32))
    moved = OPERATORS["noise"](images, blocks_of(images)[0], NOISE)
    assert 0.9 * NOISE_RADIUS < (moved - images).abs().max() <= NOISE_RADIUS
    assert ((moved >= 0) & (moved <= 1)).all()


def test_dropout_blanks_channels_of_blocks_and_keeps_the_mean() -> None:
    images = torch.ones(200, 3, 9, 9, dtype=torch.float64)
    noise = Noise(0, tuple(range(200)))
    laid, found = blocks_of(images, noise)
    dropped = OPERATORS["dropout"](images, laid, noise)
    parts = [dropped[place, :, *block].flatten(1) for place, cut in enumerate(found) for block in cut]
    assert all((part == part[:, :1]).all() for part in parts)
    levels = torch.stack([part[:, 0] for part in parts])
    torch.testing.assert_close(levels.unique(), torch.tensor([0, 1 / (1 - DROPPED)], dtype=torch.float64))
    assert (levels == 0).double().mean() == pytest.approx(DROPPED, abs=0.015)


@pytest.mark.parametrize("size", [3, 8, 32])
def test_blocks_tile_every_image_and_any_cut_is_as_likely(size) -> None:
    images = torch.zeros(3000, 1, size, size)
    laid = Blocks.drawn(Noise(0, tuple(range(3000))), images, 3)
    for spans in (laid.rows, laid.columns):
        assert (spans.number.diff(dim=1).sum(1) == 2).all()
        assert (spans.number.diff(dim=1) >= 0).all()
        sizes = torch.stack([(spans.number == number).sum(1) for number in range(3)], 1)
        assert (sizes >= 1).all()
        torch.testing.assert_close(spans.size, sizes.gather(1, spans.number))
        cut_here = (spans.number.diff(dim=1) > 0).double().mean(0)
        torch.testing.assert_close(cut_here, torch.full_like(cut_here, 2 / (size - 1)), rtol=0, atol=0.04)


@pytest.mark.parametrize("operators", [SEVEN, TEN])
def test_every_block_goes_through_one_operator_and_all_are_as_likely(operators) -> None:
    count = 400
    images = some_images((count, 1, 12, 12))
    noise = Noise(0, tuple(range(count)))
    result = transformed(images, operators, 3, noise)
    laid, found = blocks_of(images, noise.child("cuts"))
    candidates = torch.stack([OPERATORS[name](images, laid, noise.child(name)) for name in operators])
    chosen = noise.child("operator").words_like(laid.template(images)).flatten(1) % len(operators)
    for image, blocks in enumerate(found):
        for number, block in enumerate(blocks):
            assert torch.equal(result[image, :, *block], candidates[chosen[image, number], image, :, *block])
    shares = chosen.flatten().bincount(minlength=len(operators)) / chosen.numel()
    assert (shares - 1 / len(operators)).abs().max() < 0.03


@pytest.mark.parametrize("operators", [SEVEN, TEN])
@pytest.mark.parametrize("shape", [(2, 1, 8, 8), (1, 3, 5, 6)])
def test_gradients_through_the_transformation_are_exact(operators, shape) -> None:
    """In the middle of the range: where noise clips, there is no gradient to have."""
    images = 0.3 + 0.4 * some_images(shape)
    change = partial(transformed, operators=operators, blocks=3, noise=NOISE[: len(images)])
    assert torch.autograd.gradcheck(change, images.requires_grad_(), fast_mode=True)


def test_its_gradient_is_that_of_the_mean_loss_over_copies() -> None:
    attack = SIA(MIFGSM(1, "l2", relative_step=1.0), copies=5, operators=TEN)
    point = IMAGES.clone().requires_grad_()
    copies = attack.copied(point, NOISE.child("step", 0)).unflatten(0, (5, 6))
    loss = torch.stack([losses(curved, copy) for copy in copies]).mean(0).sum()
    (gradient,) = torch.autograd.grad(loss, point)
    found = attack(target(curved), BATCH, NOISE, 0.01)
    length = gradient.flatten(1).norm(dim=1).reshape(-1, 1, 1, 1)
    torch.testing.assert_close(found - IMAGES, 0.01 * gradient / length)


def test_copies_and_images_are_cut_differently_and_by_image_id() -> None:
    same = IMAGES[:1].expand(6, -1, -1, -1)
    copies = SIA(copies=4).copied(same, NOISE)
    assert len({tuple(copy.flatten().tolist()) for copy in copies}) == 24
    one = SIA(copies=4).copied(same[:1], NOISE[2:3])
    assert torch.equal(one, copies.unflatten(0, (4, 6))[:, 2])


@pytest.mark.parametrize("knowledge", [Fixed(), Fresh(), EOT(3)])
def test_an_image_alone_fares_as_among_others(knowledge) -> None:
    assert_alone_as_among_others(SIA(MIFGSM(3), copies=4), Shaken(), knowledge)


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("radius", [0.0, 0.05, 0.7])
def test_it_stays_in_its_ball_and_in_range(norm, radius) -> None:
    attack = SIA(MIFGSM(4, norm, relative_step=0.5), copies=3, operators=TEN)
    assert attack.norm == norm
    assert_in_ball(attack(target(curved), BATCH, NOISE, radius), norm, radius)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_an_operator_that_keeps_directions_finds_the_best_attack_on_a_linear_margin(norm) -> None:
    """A scaled image's gradient has the signs of the image's own; with one block, its direction too."""
    attack = SIA(MIFGSM(norm=norm), copies=3, blocks=1, operators=("scale",))
    torch.testing.assert_close(fallen_margin(attack(target(two_classes), TWO, NOISE, 0.05)), best_fall(norm, 0.05))


def test_it_climbs_the_loss_of_untransformed_images() -> None:
    found = SIA()(target(curved), BATCH, NOISE, 0.2)
    assert (losses(curved, found) > losses(curved, IMAGES)).all()


def test_every_copy_counts_as_a_gradient() -> None:
    asked = target(curved)
    SIA(MIFGSM(2), copies=3)(asked, BATCH, NOISE, 0.1)
    assert set(asked.ledger.gradients.values()) == {6}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"copies": 0}, r"SIA\.copies must be a whole number"),
        ({"operators": ()}, r"SIA\.operators must be some of"),
        ({"operators": ("blur",)}, r"SIA\.operators must be some of"),
    ],
)
def test_bad_settings_are_refused(fields, message) -> None:
    with pytest.raises(ValueError, match=message):
        SIA(**fields)


def test_more_blocks_than_pixels_are_refused() -> None:
    with pytest.raises(ValueError, match="8 pixels along an axis cannot be cut into 9 blocks"):
        SIA(blocks=9)(target(curved), BATCH, NOISE, 0.1)
