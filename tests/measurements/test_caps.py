"""Caps of a linear classifier, whose boundary is one hyperplane at a known distance."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from purigeom.geometry.caps import cap_distance, cap_share
from purigeom.measurements.caps import Caps
from purigeom.purifiers.wrapped import wrap
from tests.targets import BATCH, LINEAR, NOISE, TWO_CLASSES, WEIGHT, two_classes
from tests.toys import Scale

RIGHT = replace(BATCH, labels=two_classes(BATCH.images).argmax(1))
HALVING = wrap(lambda images: images / 2, name="halving")
RADII = (0.6, 1.5)
PROBES = 400


def l2_distance(images):
    return (images.flatten(1) @ WEIGHT[0]).abs() / WEIGHT[0].norm()


def test_a_hyperplane_cuts_off_its_cap() -> None:
    shares = Caps(TWO_CLASSES, RADII, PROBES)(HALVING, RIGHT, NOISE).misclassified_share.sel(draw=0)
    for place, images in (("clean image", RIGHT.images), ("anchor", RIGHT.images / 2)):
        for radius in RADII:
            known = cap_share(l2_distance(images), radius, 16).numpy()
            error = np.sqrt(known * (1 - known) / PROBES)
            assert (abs(shares.sel(place=place, radius=radius) - known) <= 4 * error + 1e-12).all()


def test_the_share_tells_the_distance() -> None:
    shares = Caps(TWO_CLASSES, (1.5,), PROBES)(HALVING, RIGHT, NOISE).misclassified_share.values[1, 0, 0]
    found = cap_distance(torch.from_numpy(shares), 1.5, 16)
    np.testing.assert_allclose(found, l2_distance(RIGHT.images / 2), atol=0.1)


def test_what_is_wrong_already_has_more_than_half_a_sphere() -> None:
    wrong = replace(RIGHT, labels=1 - RIGHT.labels)
    right, wronged = (
        Caps(TWO_CLASSES, RADII)(HALVING, labelled, NOISE).misclassified_share for labelled in (RIGHT, wrong)
    )
    np.testing.assert_allclose(right + wronged, 1)
    assert (wronged > 0.5).all()


def test_directions_serve_every_draw_and_clipping_is_asked_for() -> None:
    answer = Caps(TWO_CLASSES, RADII, draws=2)(Scale(0.8), RIGHT, NOISE)
    assert answer.misclassified_share.dims == ("place", "radius", "draw", "image")
    clean, anchor = answer.misclassified_share.transpose("place", "draw", ...).values
    np.testing.assert_array_equal(clean[0], clean[1])
    assert (anchor[0] != anchor[1]).any()
    clipped = Caps(TWO_CLASSES, RADII, clip=True)(Scale(0.8), RIGHT, NOISE)
    assert (clipped.misclassified_share[:, 1] != answer.misclassified_share[:, 1, :1]).any()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"radii": ()}, r"Caps\.radii"),
        ({"probes": 0}, r"Caps\.probes"),
        ({"places": ("defence",)}, r"Caps\.places must be a tuple of distinct ones of \('clean image', 'anchor'\)"),
    ],
)
def test_wrong_settings_are_named(settings, message) -> None:
    with pytest.raises(ValueError, match=message):
        Caps(LINEAR, **{"radii": (0.1,), **settings})
