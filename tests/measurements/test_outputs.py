"""What measurements of purified images say of purifiers whose answer is known."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
import xarray as xr

from purigeom import store
from purigeom.attacks.fgsm import FGSM
from purigeom.attacks.pgd import PGD
from purigeom.catalog import BASELINES, CLASSIFIERS
from purigeom.geometry.displacement import Corners, Sphere
from purigeom.images import Digits
from purigeom.measurements.anchors import Anchors
from purigeom.measurements.attacked_distances import AttackedDistances
from purigeom.measurements.cloud import Cloud
from purigeom.measurements.distances import Distances
from purigeom.measurements.features import Features, Logits
from purigeom.measurements.frechet import frechet_distances
from purigeom.measurements.perturbed_distances import PerturbedDistances
from purigeom.measurements.steadiness import Steadiness
from purigeom.measurements.survival import Survival
from purigeom.noise import Noise
from purigeom.purifiers.identity import Identity
from purigeom.purifiers.wrapped import wrap
from purigeom.sweep import Task, run

BATCH = Digits()[:12].load()
NOISE = Noise(0, BATCH.image_ids)
DIGITS = CLASSIFIERS["digits"]
HALVING = wrap(lambda images: images / 2, name="halving")
CONSTANT = wrap(lambda images: torch.full_like(images, 0.5), name="constant")
RANDOM = wrap(lambda images, noise: noise, name="random")
SMOOTHING = wrap(lambda images, noise: images + noise, name="smoothing")


def asked(measurement, purifier=BASELINES["identity"]):
    return measurement(purifier, BATCH, NOISE)


def test_perturbed_images_are_at_the_radius_before_and_where_the_map_puts_them_after() -> None:
    """Corners of the l-infinity ball, unclipped: every distance has a closed form."""
    answer = asked(PerturbedDistances((0.1, 0.3), Corners(), clip=False, draws=2))
    assert answer.stage.values.tolist() == ["before", "after"]
    for place, radius in enumerate((0.1, 0.3)):
        there = answer.isel(radius=place)
        np.testing.assert_allclose(there.perturbed_linf, radius, rtol=1e-5)
        np.testing.assert_allclose(there.perturbed_l1, radius * 64, rtol=1e-5)
        np.testing.assert_allclose(there.perturbed_l2, radius * 8, rtol=1e-5)
        np.testing.assert_allclose(there.perturbed_psnr, -20 * np.log10(radius), rtol=1e-5)


def test_after_purification_the_distance_is_to_the_clean_image() -> None:
    """A purifier that forgets its input puts perturbed images where it puts clean ones."""
    answer = asked(PerturbedDistances((0.1,), draws=2), RANDOM).isel(displacement=0, radius=0)
    clean = asked(Distances(draws=2), RANDOM)
    for name, plain in (("l1", "l1_distance"), ("linf", "linf_distance"), ("ssim", "ssim"), ("psnr", "psnr")):
        np.testing.assert_allclose(answer[f"perturbed_{name}"].sel(stage="after"), clean[plain], rtol=1e-5)
    assert not np.allclose(answer.perturbed_l2[0, 0], answer.perturbed_l2[0, 1])


def test_clipping_takes_perturbations_of_black_and_white_away() -> None:
    whole, clipped = (asked(PerturbedDistances((0.5,), clip=clip)).perturbed_l1[0, 0, 0] for clip in (False, True))
    assert (clipped < 0.8 * whole).all()


def test_attacked_distances_are_those_of_the_images_that_survival_judges() -> None:
    """FGSM from the clean image moves pixels by the radius, and halving takes half of what it made."""
    answer = asked(AttackedDistances(DIGITS, (0.05, 0.1), FGSM(), draws=2), HALVING)
    assert answer.displacement.values.tolist() == [Survival(DIGITS, (0.1,), FGSM()).adversary.label]
    np.testing.assert_allclose(answer.perturbed_linf.sel(stage="before")[0, 1], 0.1, rtol=1e-5)
    captured = []

    @dataclass(frozen=True)
    class Captured:
        label = "captured"
        norm = "linf"

        def __call__(self, target, batch, noise, radius):
            captured.append(PGD(2)(target, batch, noise, radius))
            return captured[-1]

    asked(Survival(DIGITS, (0.1,), Captured()), HALVING)
    distance = (captured[0] - BATCH.images).flatten(1).norm(dim=1)
    kept = asked(AttackedDistances(DIGITS, (0.1,), PGD(2)), HALVING).perturbed_l2[0, 0, :, 0]
    np.testing.assert_allclose(kept.sel(stage="before"), distance, rtol=1e-6)
    after = (captured[0] / 2 - BATCH.images).flatten(1).norm(dim=1)
    np.testing.assert_allclose(kept.sel(stage="after"), after, rtol=1e-6)


def steadiness(purifier, radius=0.01, **settings):
    answer = asked(Steadiness((radius,), draws=2, **settings), purifier)
    return [answer[f"correlation_{name}"] for name in ("same_configuration", "same_input", "neither")]


def test_where_noise_moves_images_the_configuration_decides() -> None:
    """The finding of arXiv 2505.22839: 0.9954 within a configuration, 0.2368 across."""
    same_configuration, same_input, neither = steadiness(SMOOTHING)
    assert same_configuration.min() > 0.999
    assert abs(same_input.mean()) < 0.03
    assert abs(neither.mean()) < 0.03


def test_where_nothing_is_random_the_input_decides() -> None:
    same_configuration, same_input, neither = steadiness(BASELINES["identity"])
    np.testing.assert_allclose(same_input, 1)
    assert abs(same_configuration.mean()) < 0.03
    np.testing.assert_allclose(neither, same_configuration)


def test_where_all_is_forgotten_nothing_matters() -> None:
    for correlation in steadiness(CONSTANT):
        np.testing.assert_allclose(correlation, 1)


def test_noise_that_is_half_of_the_movement_gives_half_the_correlation() -> None:
    """Displacement e of the input and pinned noise n of equal variance: every shared part counts one half."""
    scaled = wrap(lambda images, noise: images + 0.1 * noise / 3**0.5, name="equal parts")
    same_configuration, same_input, neither = steadiness(scaled, 0.1, points=32)
    np.testing.assert_allclose(same_configuration.mean(), 0.5, atol=0.05)
    np.testing.assert_allclose(same_input.mean(), 0.5, atol=0.05)
    np.testing.assert_allclose(neither.mean(), 0, atol=0.05)


def test_the_signal_to_noise_ratio_is_that_of_the_purifier_s_own_displacement() -> None:
    """Half the image away and noise 0.1 per pixel: |x| / 2 over 0.1 sqrt(D)."""
    noisy = wrap(lambda images, noise: images / 2 + 0.1 * noise, name="noisy halving")
    answer = asked(Steadiness((0.1,), points=64, draws=2), noisy).displacement_snr
    expected = BATCH.images.flatten(1).norm(dim=1).numpy() / 2 / 0.8
    np.testing.assert_allclose(answer, np.tile(expected, (2, 1)), rtol=0.1)
    assert asked(Steadiness((0.1,))).displacement_snr.isnull().all()
    assert np.isinf(asked(Steadiness((0.1,)), HALVING).displacement_snr).all()


def test_approach_is_one_of_the_identity_and_zero_of_a_constant() -> None:
    for displacement in (Corners(), Sphere()):
        anchors = Anchors(DIGITS, (0.1, 0.2), displacement, probes=3, draws=2)
        np.testing.assert_allclose(asked(anchors).approach, 1)
        answer = asked(anchors, CONSTANT)
        np.testing.assert_array_equal(answer.approach, 0)
        assert answer.anchor_kept.all()


def test_approach_of_halving_is_known_in_closed_form() -> None:
    """f(x + d) - f(x) = d / 2 and x + d - f(x) = d + x / 2."""
    answer = asked(Anchors(DIGITS, (0.7,), Sphere(), probes=1, clip=False), HALVING).approach
    displacement = Sphere()(NOISE.child("displacement", 0), BATCH.images, 0.7)
    expected = 0.35 / (displacement + BATCH.images / 2).flatten(1).norm(dim=1)
    np.testing.assert_allclose(answer[0, 0, 0, 0], expected, rtol=1e-5)


def test_anchors_of_the_identity_are_clean_images_with_their_verdicts() -> None:
    """Of the bare classifier: which images are right, and which displaced ones keep its answer."""
    anchors = Anchors(DIGITS, (0.02, 2.0), Corners(), probes=4)
    answer = asked(anchors)
    logits = DIGITS.load()(BATCH.images)
    np.testing.assert_array_equal(answer.classified[0], logits.argmax(1) == BATCH.labels)
    assert answer.anchor_kept[0, 0].mean() > answer.anchor_kept[0, 1].mean() + 0.2
    np.testing.assert_array_equal(
        answer.classified, asked(Survival(DIGITS, (0.1,), FGSM()), BASELINES["identity"]).classified
    )
    with pytest.raises(ValueError, match="needs labels"):
        anchors(BASELINES["identity"], replace(BATCH, labels=None), NOISE)


def test_a_linear_map_shapes_the_cloud_as_its_matrix_says() -> None:
    """Uniform noise in D directions, of which one passes whole, one in part and others not at all."""
    weights = torch.zeros(64)
    weights[20], weights[30] = 1.0, 0.5
    lens = wrap(lambda images: images * weights.reshape(1, 1, 8, 8), name="lens")
    answer = asked(Cloud((0.1,), points=2000), lens)
    np.testing.assert_allclose(answer.cloud_variance.mean("image")[0, 0, 0, :2], [0.8, 0.2], atol=0.01)
    np.testing.assert_allclose(answer.cloud_variance[..., 2:], 0, atol=1e-6)
    np.testing.assert_allclose(answer.cloud_rank.mean(), 1 / (0.8**2 + 0.2**2), rtol=0.02)


def test_a_pinned_translation_keeps_the_ball_and_a_constant_leaves_none() -> None:
    whole = asked(Cloud((0.1,), points=1000, draws=2), SMOOTHING).cloud_rank
    np.testing.assert_allclose(whole, 1000 * 64 / 1064, rtol=0.03)
    empty = asked(Cloud((0.1,)), CONSTANT)
    assert empty.cloud_variance.isnull().all()
    assert empty.cloud_rank.isnull().all()


def features(purifier, draws=1, count=60):
    batch = Digits()[:count].load()
    return Features(Logits(DIGITS, "digits"), draws)(purifier, batch, Noise(0, batch.image_ids))


def test_the_frechet_distance_of_the_identity_is_zero_and_of_more_noise_is_larger() -> None:
    mild, strong = (
        wrap(lambda images, noise, size=size: images + size * noise, name=f"noise {size}") for size in (0.05, 0.5)
    )
    purifiers = {"identity": BASELINES["identity"], "mild": mild, "strong": strong}
    joined = xr.concat([features(one, draws=2) for one in purifiers.values()], "purifier")
    answer = frechet_distances(joined.assign_coords(purifier=list(purifiers)), resamples=20)
    assert answer.extractor.values.tolist() == ["logits of digits"]
    identity, mild, strong = answer.frechet_distance[:, 0].values
    assert identity < 1e-9
    assert 0.01 < mild < 0.5 * strong
    assert (answer["count"] == 60).all()


def planted(clean, purified):
    dims = ("draw", "image", "feature")
    return xr.Dataset({"clean_feature": (dims[1:], clean), "purified_feature": (dims, purified)})


def test_a_shift_of_every_feature_is_its_squared_length_and_has_no_error() -> None:
    clean = np.random.default_rng(0).normal(size=(50, 3))
    answer = frechet_distances(planted(clean, np.stack([clean + 1, clean + 2])))
    np.testing.assert_allclose(answer.frechet_distance, (3 + 12) / 2)
    np.testing.assert_allclose(answer.standard_error, 0, atol=1e-9)


def test_the_bootstrap_s_error_is_that_of_repeated_sampling() -> None:
    generator = np.random.default_rng(0)
    pairs = [generator.normal(size=(2, 200, 2)) * [[[1.0]], [[3.0]]] for _ in range(200)]
    first, *others = pairs
    answer = frechet_distances(planted(first[0], first[1][None]))
    again = [frechet_distances(planted(one, other[None]), resamples=2).frechet_distance for one, other in others]
    repeated = np.std(again, ddof=1)
    np.testing.assert_allclose(answer.standard_error, repeated, rtol=0.3)


def test_images_and_purifiers_without_features_are_left_out() -> None:
    clean = np.random.default_rng(0).normal(size=(50, 3))
    shifted = np.stack([clean + 1, np.full_like(clean, np.nan)])
    shifted[0, 7] = np.nan
    answer = frechet_distances(planted(clean, shifted))
    np.testing.assert_allclose(answer.frechet_distance, 3)
    assert answer["count"] == 49
    nothing = frechet_distances(planted(clean, np.full((1, 50, 3), np.nan)))
    assert nothing.frechet_distance.isnull()
    with pytest.raises(KeyError, match=r"needs \['purified_feature'\].*Measure features"):
        frechet_distances(planted(clean, shifted).drop_vars("purified_feature"))


def test_an_extractor_that_keeps_no_row_per_image_is_named() -> None:
    with pytest.raises(ValueError, match="must return one row of finite features per image"):
        asked(Features(wrap(lambda images: images, name="no rows")))


@pytest.mark.parametrize("build", [lambda: Steadiness((0.1,), points=1), lambda: Cloud((0.1,), points=1)])
def test_one_point_is_too_few(build) -> None:
    with pytest.raises(ValueError, match=r"\.points must be at least 2"):
        build()


def test_all_of_it_can_be_stored_side_by_side(tmp_path) -> None:
    questions = (
        PerturbedDistances((0.1,)),
        AttackedDistances(DIGITS, (0.1,), FGSM()),
        Steadiness((0.1,), points=2),
        Anchors(DIGITS, (0.1,), probes=2),
        Cloud((0.1,), points=4),
        Features(Logits(DIGITS, "digits")),
    )
    tasks = [Task("identity", Identity(), question, Digits()[:12]) for question in questions]
    stored = store.load(run(tasks, tmp_path, quiet=True))
    assert stored.displacement.size == 2
    assert stored.perturbed_l2.notnull().all()
    np.testing.assert_allclose(frechet_distances(stored, resamples=2).frechet_distance, 0, atol=1e-9)
