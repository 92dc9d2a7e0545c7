"""Margins whose gradients are known: their spread tells the worst loss, and how bent they are."""

import pytest
import torch

from purigeom.geometry.margins import (
    PART,
    acceleration,
    bend,
    downhill,
    margin_ratio,
    margins,
    moved_share,
    of_class,
    paired_changes,
    room,
    worst_losses,
)

PIXELS, RADIUS, PAIRS = 3072, 0.01, 4000
WEIGHT = torch.randn(3, PIXELS, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
IMAGE = torch.full((1, PIXELS), 0.5, dtype=torch.float64)
LABEL = torch.tensor([1])
SIGNS = torch.randn(PAIRS, PIXELS, generator=torch.Generator().manual_seed(1), dtype=torch.float64).sign()


def changed(classify):
    anchor = margins(classify(IMAGE), LABEL)
    ends = [margins(classify(IMAGE + sign * RADIUS * SIGNS), LABEL.expand(PAIRS))[:, None] for sign in (1, -1)]
    return anchor, paired_changes(anchor, *ends)


def linear(images):
    return images @ WEIGHT.T


def test_the_spread_of_a_linear_margin_tells_what_the_worst_displacement_takes() -> None:
    _, found = changed(linear)
    worst = RADIUS * (WEIGHT[1] - WEIGHT).abs().sum(1)
    others = [0, 2]
    torch.testing.assert_close(worst_losses(found, PIXELS)[0, others], worst[others], rtol=0.05, atol=0)


def test_the_ratio_is_that_of_the_class_nearest_to_winning() -> None:
    anchor, found = changed(linear)
    ratio, classes = margin_ratio(anchor, found, PIXELS)
    each = anchor / worst_losses(found, PIXELS)
    torch.testing.assert_close(ratio, each[:, [0, 2]].amin(1))
    torch.testing.assert_close(of_class(each, classes), ratio)
    assert bend(found, classes) < 1e-9


def test_curvature_shows_as_bend_and_raises_the_spread() -> None:
    def bent(images):
        even = 3 * (images - 0.5).square().sum(1, keepdim=True).sqrt()
        return linear(images) + torch.tensor([0.0, 1.0, 0.0]) * even

    (_, straight), (anchor, curved) = changed(linear), changed(bent)
    torch.testing.assert_close(straight.odd, curved.odd)
    assert (bend(curved, margin_ratio(anchor, curved, PIXELS)[1]) > 0.1).all()
    assert (curved.spread[0, [0, 2]] > straight.spread[0, [0, 2]]).all()


def test_downhill_is_where_a_linear_margin_falls_as_the_worst_displacement_does() -> None:
    _, found = changed(linear)
    corner = downhill(found.odd[:, :, 0], (sign[None] for sign in SIGNS))
    gradient = WEIGHT[1] - WEIGHT[0]
    assert (corner[0] * -gradient.sign()).mean() > 0.4
    assert (corner * gradient).sum() < -0.55 * gradient.abs().sum()


@pytest.mark.parametrize(("power", "expected"), [(1, 1.0), (2, 4.0), (0.5, 0.5)])
def test_acceleration_is_one_where_margins_fall_straight(power, expected) -> None:
    start = torch.tensor([2.0])
    near, far = (start - length**power for length in (PART, 1.0))
    torch.testing.assert_close(acceleration(start, near, far), torch.tensor([expected]))


def test_what_nothing_moves_does_not_accelerate() -> None:
    still = torch.tensor([2.0])
    assert acceleration(still, still, still).item() == 1


@pytest.mark.parametrize(("margin", "ratio"), [(1.0, torch.inf), (-1.0, -torch.inf), (0.0, 0.0)])
def test_a_margin_that_nothing_moves_is_safe_lost_or_none(margin, ratio) -> None:
    anchor = torch.tensor([[torch.inf, margin]])
    still = paired_changes(anchor, anchor[None], anchor[None])
    assert margin_ratio(anchor, still, 4)[0].item() == ratio


def test_images_inside_have_all_room_and_corners_half() -> None:
    images = torch.tensor([[0.5, 0.5], [0.0, 1.0]])
    assert room(images, 0.25).tolist() == [1.0, 0.5]


def test_pixels_that_nothing_moves_have_no_share_and_where_nothing_moves_all_have() -> None:
    moved = 0.1 * SIGNS[:8, :16].reshape(8, 1, 1, 4, 4)
    assert moved_share(moved).item() == pytest.approx(1)
    assert moved_share(torch.cat([moved, 0 * moved], 4)).item() == pytest.approx(0.5)
    assert moved_share(0 * moved).item() == 1
