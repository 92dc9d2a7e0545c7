"""What forward passes alone tell of who survives."""

import numpy as np
import torch

from purigeom.catalog import BASELINES, CLASSIFIERS
from purigeom.images import Digits
from purigeom.measurements.margins import Margins
from purigeom.measurements.survival import Survival
from purigeom.noise import Noise
from purigeom.purifiers.wrapped import wrap

BATCH = Digits()[:24].load()
NOISE = Noise(0, BATCH.image_ids)
DIGITS = CLASSIFIERS["digits"]


def asked(purifier, **settings):
    return Margins(DIGITS, **{"radii": (0.1,), "pairs": 16} | settings)(purifier, BATCH, NOISE)


def test_no_gradient_passes_through_anything() -> None:
    def watched(images):
        assert not torch.is_grad_enabled()
        assert not images.requires_grad
        return images

    asked(wrap(watched, name="watched"))


def test_who_survives_has_the_larger_ratio() -> None:
    ratio = asked(BASELINES["identity"]).margin_ratio.values.flatten()
    survived = Survival(DIGITS, (0.1,))(BASELINES["identity"], BATCH, NOISE).survived.values.flatten()
    assert 0 < survived.sum() < len(BATCH)
    lost, kept = ratio[~survived], ratio[survived]
    order = (kept[:, None] > lost[None]).mean()
    assert order > 0.85, "the area under the curve of survival against ratio"


def test_a_purifier_that_shrinks_displacements_raises_every_ratio() -> None:
    plain, shrunk = asked(BASELINES["identity"]), asked(wrap(Shrink(0.5), name="shrink"))
    assert (shrunk.margin_ratio.where(plain.margin_ratio > 0) > 1.5 * plain.margin_ratio).sum() > 20


def test_more_pairs_begin_with_those_of_fewer() -> None:
    same, more = asked(BASELINES["gaussian-noise"], pairs=2), asked(BASELINES["gaussian-noise"], pairs=64)
    np.testing.assert_array_equal(same.anchor_margin, more.anchor_margin)
    assert abs(np.log(same.margin_ratio / more.margin_ratio)).median() < 0.5


def test_room_is_what_the_box_leaves() -> None:
    room = asked(BASELINES["identity"], radii=(0.1, 0.3)).room
    assert ((room > 0.5) & (room < 1)).all()
    assert (room.sel(radius=0.3) <= room.sel(radius=0.1)).all()


class Shrink:
    """Move every pixel nearer to the clean image it belongs to: a linear map about known anchors."""

    def __init__(self, factor):
        self.factor = factor

    def __call__(self, images):
        nearest = torch.cdist(images.flatten(1), BATCH.images.flatten(1)).argmin(1)
        anchors = BATCH.images[nearest].to(images)
        return anchors + self.factor * (images - anchors)
