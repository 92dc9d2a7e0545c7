"""Margins whose gradients are known: their spread tells the worst loss, and how bent they are."""

from functools import reduce
from operator import add

import pytest
import torch

from purigeom.geometry.margins import margin_ratio, margins, pair_moments, room, worst_losses

PIXELS, RADIUS, PAIRS = 3072, 0.01, 4000
WEIGHT = torch.randn(3, PIXELS, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
IMAGE = torch.full((1, PIXELS), 0.5, dtype=torch.float64)
LABEL = torch.tensor([1])
SIGNS = torch.randn(PAIRS, PIXELS, generator=torch.Generator().manual_seed(1), dtype=torch.float64).sign()


def moments(classify):
    anchor = margins(classify(IMAGE), LABEL)
    ends = [margins(classify(IMAGE + sign * RADIUS * SIGNS), LABEL.expand(PAIRS)) for sign in (1, -1)]
    return anchor, reduce(add, [pair_moments(anchor, one[None], other[None]) for one, other in zip(*ends, strict=True)])


def linear(images):
    return images @ WEIGHT.T


def test_the_spread_of_a_linear_margin_tells_what_the_worst_displacement_takes() -> None:
    _, found = moments(linear)
    worst = RADIUS * (WEIGHT[1] - WEIGHT).abs().sum(1)
    others = [0, 2]
    torch.testing.assert_close(worst_losses(found, PIXELS)[0, others], worst[others], rtol=0.05, atol=0)


def test_the_ratio_is_that_of_the_class_nearest_to_winning() -> None:
    anchor, found = moments(linear)
    ratio, bend = margin_ratio(anchor, found, PIXELS)
    torch.testing.assert_close(ratio, (anchor / worst_losses(found, PIXELS))[:, [0, 2]].amin(1))
    assert bend < 1e-9


def test_curvature_shows_as_bend_and_not_as_spread() -> None:
    def bent(images):
        logits = linear(images)
        even = 3 * (images - 0.5).square().sum(1, keepdim=True).sqrt()
        return logits + torch.tensor([0.0, 1.0, 0.0]) * even

    (_, straight), (_, curved) = moments(linear), moments(bent)
    torch.testing.assert_close(straight.odd, curved.odd)
    assert (curved.even[0, [0, 2]] > 0).all()


def test_two_halves_add_up_to_the_whole() -> None:
    anchor, whole = moments(linear)
    _, bend = margin_ratio(anchor, whole + whole, PIXELS)
    ratio, again = (margin_ratio(anchor, one, PIXELS)[0] for one in (whole, whole + whole))
    torch.testing.assert_close(ratio, again)
    assert (whole + whole).pairs == 2 * PAIRS
    assert bend.shape == (1,)


@pytest.mark.parametrize(("margin", "ratio"), [(1.0, torch.inf), (-1.0, -torch.inf), (0.0, 0.0)])
def test_a_margin_that_nothing_moves_is_safe_lost_or_none(margin, ratio) -> None:
    anchor = torch.tensor([[torch.inf, margin]])
    still = pair_moments(anchor, anchor, anchor)
    assert margin_ratio(anchor, still, 4)[0].item() == ratio


def test_images_inside_have_all_room_and_corners_half() -> None:
    images = torch.tensor([[0.5, 0.5], [0.0, 1.0]])
    assert room(images, 0.25).tolist() == [1.0, 0.5]
