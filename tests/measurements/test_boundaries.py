"""Scans, slices and attacked displacements of linear defences, whose boundaries and compression are known."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from purigeom.attacks.adversary import Adversary
from purigeom.attacks.fgsm import FGSM
from purigeom.attacks.pgd import PGD
from purigeom.defence.gradients import BPDA
from purigeom.measurements.attacked_compression import AttackedCompression
from purigeom.measurements.boundary_scan import BoundaryScan
from purigeom.measurements.boundary_slice import BoundarySlice
from purigeom.measurements.minimal_perturbation import MinimalPerturbation
from purigeom.measurements.survival import Survival
from purigeom.noise import Noise
from purigeom.purifiers.identity import Identity
from purigeom.purifiers.wrapped import wrap
from tests.targets import BATCH, LINEAR, NOISE, TWO_CLASSES, WEIGHT, two_classes
from tests.toys import Scale

RIGHT = replace(BATCH, labels=two_classes(BATCH.images).argmax(1))
HALVING = wrap(lambda images: images / 2, name="halving")
BLACK_BOX = wrap(lambda images: images / 2, name="black box", differentiability="none")
L2 = PGD(20, "l2")
DISTANCES = tuple(step / 10 for step in range(13))
OFFSET = 0.5


@dataclass(frozen=True)
class Stripe:
    """Classify by the mean pixel: class 1 between two values, class 0 outside."""

    def load(self):
        def logits(images):
            inside = 0.15 - (images.mean((1, 2, 3)) - OFFSET).abs()
            return torch.stack([-inside, inside], 1)

        return logits


def flat(values):
    images = torch.tensor(values, dtype=torch.float64)[:, None, None, None].expand(-1, 1, 4, 4).contiguous()
    return replace(
        BATCH, images=images, labels=torch.zeros(len(values), dtype=torch.int64), image_ids=tuple(range(len(values)))
    )


def l2_distance(images):
    return ((images.flatten(1) @ WEIGHT[0]).abs() / WEIGHT[0].norm()).numpy()


def test_a_scan_of_a_linear_defence_is_a_line_that_falls_to_its_boundary() -> None:
    answer = BoundaryScan(TWO_CLASSES, 0.3, DISTANCES, L2, clip=False)(HALVING, RIGHT, NOISE)
    distance = l2_distance(RIGHT.images)
    slope = WEIGHT[0].norm().item()
    known = slope * (distance - np.array(DISTANCES)[:, None])
    np.testing.assert_allclose(answer.scanned_margin.sel(direction="attack", draw=0), known, atol=1e-2 * slope)
    crossing = answer.first_crossing.sel(direction="attack", draw=0)
    np.testing.assert_allclose(crossing, np.where(distance < 1.2, distance, np.nan), rtol=1e-2)
    assert answer.second_crossing.isnull().all()


def test_a_random_direction_is_of_length_one_and_the_same_in_every_draw() -> None:
    answer = BoundaryScan(TWO_CLASSES, 0.1, (0.0, 1.0), L2, draws=2, clip=False)(Identity(), RIGHT, NOISE)
    np.testing.assert_array_equal(*answer.scanned_margin.sel(direction="random").transpose("draw", ...).values)
    unit = Noise(0, RIGHT.image_ids).child("direction").normal_like(RIGHT.images).flatten(1)
    unit = unit / unit.norm(dim=1, keepdim=True)
    sign = torch.where(RIGHT.labels == 0, 2, -2)
    known = sign * (unit @ WEIGHT[0])
    moved = answer.scanned_margin.sel(direction="random", draw=0).diff("distance")[0]
    np.testing.assert_allclose(moved, known, rtol=1e-6)


def test_a_stripe_is_entered_and_left_where_it_lies() -> None:
    """Of 16 equal pixels the l2 distance is four times the change of each."""
    batch = flat([0.2, 0.3, 0.5])
    scan = BoundaryScan(Stripe(), 0.25, tuple(step / 20 for step in range(61)), FGSM())
    answer = scan(Identity(), batch, Noise(0, batch.image_ids)).sel(direction="attack", draw=0)
    np.testing.assert_allclose(answer.first_crossing[:2], [0.6, 0.2], atol=1e-6)
    np.testing.assert_allclose(answer.second_crossing[:2], [1.8, 1.4], atol=1e-6)
    assert answer.first_crossing[2] == 0


def test_clipping_bends_the_way() -> None:
    batch = flat([0.2])
    far = (0.0, 3.0, 3.6)
    clipped, straight = (
        BoundaryScan(Stripe(), 0.25, far, FGSM(), clip=clip)(Identity(), batch, Noise(0, (0,))).scanned_margin
        for clip in (True, False)
    )
    np.testing.assert_allclose(clipped[0, 1:, 0, 0], [0.6, 0.7])
    np.testing.assert_allclose(straight[0, 1:, 0, 0], [0.6, 0.9])


def test_a_slice_of_a_linear_defence_has_a_straight_boundary_across() -> None:
    answer = BoundarySlice(TWO_CLASSES, 0.3, 1.0, L2, points=9, clip=False)(HALVING, RIGHT, NOISE)
    assert answer.slice_margin.dims == ("draw", "image", "along", "across")
    known = WEIGHT[0].norm().item() * (l2_distance(RIGHT.images)[:, None] - answer.along.values)
    for column in range(9):
        np.testing.assert_allclose(answer.slice_margin[0, :, :, column], known, atol=5e-2)
    right = answer.slice_class[0] == RIGHT.labels.numpy()[:, None, None]
    np.testing.assert_array_equal(right, answer.slice_margin[0] > 0)
    assert answer.along.values.tolist() == answer.across.values.tolist() == np.linspace(-1, 1, 9).tolist()


def test_a_slice_s_second_direction_is_orthogonal_and_of_length_one() -> None:
    """A purifier that writes lengths down: the classifier's logit is the squared distance from the clean image."""
    clean = RIGHT.images
    near = wrap(lambda images: images - clean.repeat(len(images) // 6, 1, 1, 1), name="from clean")
    square = wrap(
        lambda shifts: torch.stack([shifts.flatten(1).square().sum(1), shifts.sum((1, 2, 3)) * 0], 1), name="^2"
    )
    outward = replace(RIGHT, labels=torch.ones(6, dtype=torch.int64))
    answer = BoundarySlice(square, 0.1, 0.5, L2, points=5, clip=False)(near, outward, NOISE)
    known = answer.along**2 + answer.across**2
    np.testing.assert_allclose(-answer.slice_margin[0], np.broadcast_to(known, (6, 5, 5)), atol=1e-9)


def test_compression_along_an_attack_is_known_and_parts_those_that_fail_from_those_that_succeed() -> None:
    """Of a linear defence that shrinks all alike, an l2 attack fails where compression is below the critical one."""
    radii = (0.2, 0.5, 0.8)
    answer = AttackedCompression(TWO_CLASSES, radii, PGD(40, "l2"), draws=2)(Scale(0.5), RIGHT, NOISE)
    assert answer.attacked_compression.dims == ("attack", "radius", "draw", "image")
    np.testing.assert_allclose(answer.attacked_compression, 0.5)
    critical = answer.critical_compression
    clear = abs(critical / 0.5 - 1) > 0.1
    assert clear.mean() > 0.7
    failed = answer.attack_failed
    assert 0.1 < failed.mean() < 0.9
    np.testing.assert_array_equal(failed.where(clear), (answer.attacked_compression < critical).where(clear))


def test_critical_compression_is_the_anchor_s_distance_over_the_attack_s() -> None:
    answer = AttackedCompression(TWO_CLASSES, (0.5,), PGD(5, "l2"), halvings=12)(HALVING, RIGHT, NOISE)
    np.testing.assert_allclose(answer.critical_compression[0, 0, 0], l2_distance(RIGHT.images / 2) / 0.5, rtol=1e-2)


def test_failed_attacks_are_those_that_survival_counts() -> None:
    adversary = Adversary(PGD(3), gradient=BPDA())
    settings = {"radii": (0.05, 0.15), "attack": adversary, "draws": 2}
    compression = AttackedCompression(LINEAR, **settings)(BLACK_BOX, RIGHT, NOISE)
    survival = Survival(LINEAR, **settings)(BLACK_BOX, RIGHT, NOISE)
    np.testing.assert_array_equal(compression.attack_failed, survival.survived)
    assert compression.attack.values.tolist() == survival.attack.values.tolist()


def without_gradient_where_bright(images):
    """Classify by the mean pixel; from 0.6 on the gradient is NaN."""
    mean = images.mean((1, 2, 3))
    bright = (mean.detach() > 0.6).to(mean)
    offset = mean - OFFSET + (mean - mean.detach() + 1 - bright).sqrt() - (1 - bright)
    return torch.stack([-offset, offset], 1)


def test_an_attack_whose_gradient_breaks_says_nothing_and_others_are_kept() -> None:
    breaking = wrap(without_gradient_where_bright, name="breaking")
    batch = replace(flat([0.4, 0.9]), labels=torch.tensor([0, 1]))
    found = [
        measurement(Identity(), batch, Noise(0, batch.image_ids))
        for measurement in (
            MinimalPerturbation(breaking, attack=PGD(5), largest=0.15),
            BoundaryScan(breaking, 0.15, (0.0, 0.1), PGD(5)),
            BoundarySlice(breaking, 0.15, 0.1, PGD(5), points=3),
            AttackedCompression(breaking, (0.15,), PGD(5)),
        )
    ]
    np.testing.assert_allclose(found[0].minimal_radius[:, 0, 0], 0.1, atol=0.15 / 2**7)
    assert found[0].minimal_radius[:, 0, 1].isnull().all()
    for facts in (
        found[1].scanned_margin.sel(direction="attack"),
        found[2].slice_margin,
        found[3].attacked_compression,
    ):
        assert facts.isel(image=0).notnull().all()
        assert facts.isel(image=1).isnull().all()
    assert found[1].scanned_margin.sel(direction="random").notnull().all()


@dataclass(frozen=True)
class Witness:
    """An attack that moves nothing and remembers what it was given."""

    seen: list
    label = "witness"
    norm = "linf"

    def __call__(self, target, batch, noise, radius):
        self.seen.append((noise, target.configuration, target.attacker, radius))
        return batch.images


def test_attacks_are_those_of_survival_draw_by_draw() -> None:
    settings = {"attack": Witness([]), "draws": 2}
    Survival(LINEAR, (0.1,), **settings)(HALVING, RIGHT, NOISE)
    known = list(settings["attack"].seen)
    assert len(set(known)) == 2
    for measurement in (
        BoundaryScan(LINEAR, 0.1, (0.0, 1.0), **settings),
        BoundarySlice(LINEAR, 0.1, 1.0, points=2, **settings),
        AttackedCompression(LINEAR, (0.1,), **settings),
    ):
        settings["attack"].seen.clear()
        measurement(HALVING, RIGHT, NOISE)
        assert settings["attack"].seen == known


@dataclass(frozen=True)
class Still:
    """An attack that moves nothing."""

    label = "still"
    norm = "linf"

    def __call__(self, target, batch, noise, radius):
        return batch.images


def test_an_attack_that_moves_nothing_has_no_compression() -> None:
    answer = AttackedCompression(TWO_CLASSES, (0.1,), Still())(HALVING, RIGHT, NOISE)
    assert answer.attacked_compression.isnull().all()
    assert answer.attack_failed.all()


@pytest.mark.parametrize(
    "measurement",
    [BoundaryScan(LINEAR, 0.1, (0.0, 1.0)), BoundarySlice(LINEAR, 0.1, 1.0), AttackedCompression(LINEAR, (0.1,))],
    ids=lambda one: one.label,
)
def test_a_black_box_is_attacked_by_bpda_and_not_by_exact_gradients(measurement) -> None:
    with pytest.raises(ValueError, match="declares differentiability 'none'"):
        measurement(BLACK_BOX, RIGHT, NOISE)
    replace(measurement, attack=Adversary(PGD(2), gradient=BPDA()))(BLACK_BOX, RIGHT, NOISE)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: BoundaryScan(LINEAR, 0.1, ()), r"BoundaryScan\.distances must be lengths that rise"),
        (lambda: BoundaryScan(LINEAR, 0.1, (1.0, 0.5)), r"BoundaryScan\.distances"),
        (lambda: BoundaryScan(LINEAR, 0.1, (-1.0, 0.5)), r"BoundaryScan\.distances"),
        (lambda: BoundaryScan(LINEAR, 8.0, (0.5,)), "linf radius within"),
        (lambda: BoundarySlice(LINEAR, 0.1, 0.0), r"BoundarySlice\.reach must be above zero"),
        (lambda: BoundarySlice(LINEAR, 0.1, 1.0, points=0), r"BoundarySlice\.points"),
        (lambda: AttackedCompression(LINEAR, (0.1,), boundary_attack=PGD()), "boundary_attack must be one in l2"),
        (lambda: AttackedCompression(LINEAR, (0.1,), largest=0.0), r"Bisection\.largest must be above zero"),
        (lambda: AttackedCompression(LINEAR, (2.0,)), "linf radius within"),
    ],
)
def test_wrong_settings_are_named(build, message) -> None:
    with pytest.raises(ValueError, match=message):
        build()
