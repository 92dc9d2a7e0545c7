"""What the measurements of gradients say of defences whose gradients are known."""

import numpy as np
import pytest
import torch

from purigeom.catalog import BASELINES, CLASSIFIERS, DIGITS_UNET
from purigeom.defence.gradients import BPDA, FullGraph, Surrogate
from purigeom.images import Digits
from purigeom.measurements.gradient_geometry import GradientGeometry
from purigeom.measurements.gradient_modes import GradientModes
from purigeom.measurements.soundness import Soundness
from purigeom.noise import Noise
from purigeom.purifiers.diffusion.ddpm import DDPM
from purigeom.purifiers.gaussian import GaussianNoise
from purigeom.purifiers.wrapped import wrap

BATCH = Digits()[:8].load()
NOISE = Noise(0, BATCH.image_ids)
DIGITS = CLASSIFIERS["digits"]
PURIFIER = DDPM(DIGITS_UNET, depth=100, steps=8)
BLACK_BOX = wrap(lambda images: images.detach().round(), name="black box", differentiability="none")


def test_the_full_graph_agrees_and_cheaper_gradients_deviate_by_a_printed_amount() -> None:
    modes = (FullGraph(), Surrogate(5), BPDA())
    answer = GradientModes(DIGITS, modes, draws=2)(PURIFIER, BATCH, NOISE)
    assert answer.gradient.values.tolist() == ["full graph", "surrogate(5)", "bpda"]
    cosines, errors = (answer[name].median(("draw", "image")).values for name in ("gradient_cosine", "gradient_error"))
    print(f"median cosine {cosines.round(3)}, median relative error {errors.round(3)}")  # noqa: T201
    assert errors[0] < 1e-4
    assert cosines[0] > cosines[1] > cosines[2]
    assert errors[1:].min() > 0.1


def test_behind_a_translation_every_mode_is_exact() -> None:
    answer = GradientModes(DIGITS, (BPDA(),))(GaussianNoise(0.2), BATCH, NOISE)
    np.testing.assert_allclose(answer.gradient_cosine, 1, rtol=1e-6)
    np.testing.assert_allclose(answer.gradient_error, 0, atol=1e-6)


def test_a_vanished_gradient_agrees_with_none() -> None:
    answer = GradientModes(DIGITS, (BPDA(),))(BASELINES["bit-depth"], BATCH, NOISE)
    assert answer.gradient_cosine.isnull().all()
    assert answer.gradient_error.isnull().all()


def test_a_sure_purifier_has_one_gradient_for_all_configurations() -> None:
    answer = GradientGeometry(DIGITS, (1, 3))(BASELINES["gaussian-blur"], BATCH, NOISE)
    for name in ("eot_cosine", "eot_pearson"):
        np.testing.assert_allclose(answer[name], 1, rtol=1e-5)


def test_more_configurations_come_closer_to_every_one_s_gradient() -> None:
    """The mean keeps what configurations share; of cross-entropies, it would be that of the few least sure ones."""
    answer = GradientGeometry(DIGITS, (1, 4, 16), "cw", draws=3)(PURIFIER, BATCH, NOISE)
    for name in ("eot_cosine", "eot_pearson"):
        rising = answer[name].mean(("draw", "image")).values
        assert rising[0] < rising[1] < rising[2] < 0.95


def test_the_pull_through_halving_halves_a_gradient_and_bit_depth_leaves_none() -> None:
    halving = wrap(lambda images: images / 2, name="halving")
    np.testing.assert_allclose(GradientGeometry(DIGITS, (1,))(halving, BATCH, NOISE).gradient_stretch, 0.5, rtol=1e-5)
    vanished = GradientGeometry(DIGITS, (1,))(BASELINES["bit-depth"], BATCH, NOISE)
    assert not vanished.gradient_norm.any()
    assert not vanished.gradient_stretch.any()
    assert vanished.eot_cosine.isnull().all()


def test_soundness_stores_what_the_diagnosis_says() -> None:
    sound = Soundness(DIGITS, draws=2)(PURIFIER, BATCH, NOISE)
    assert not any(sound[name].any() for name in ("hidden_randomness", "optimised_inside", "gradient_masked"))
    np.testing.assert_allclose(sound.gradient_followed, 1, atol=0.1)
    hiding = wrap(lambda images: images + 0.1 * torch.randn_like(images), name="hiding")
    assert Soundness(DIGITS)(hiding, BATCH, NOISE).hidden_randomness.all()


@pytest.mark.parametrize("measurement", [GradientModes(DIGITS), GradientGeometry(DIGITS)], ids=lambda one: one.label)
def test_a_black_box_has_no_gradients_to_compare(measurement) -> None:
    with pytest.raises(ValueError, match="declares differentiability 'none'"):
        measurement(BLACK_BOX, BATCH, NOISE)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: GradientModes(DIGITS, ()), r"GradientModes\.modes must be at least one"),
        (
            lambda: GradientModes(DIGITS, (BPDA(), BPDA())),
            r"GradientModes\.modes must be at least one, each with a label",
        ),
        (lambda: GradientGeometry(DIGITS, (2, 1)), r"GradientGeometry\.counts must be whole numbers that rise"),
        (lambda: Soundness(DIGITS, radius=8), r"Soundness\.radius must be an linf length"),
        (lambda: Soundness(DIGITS, draws=0), r"Soundness\.draws must be"),
    ],
)
def test_wrong_settings_are_named(build, message) -> None:
    with pytest.raises(ValueError, match=message):
        build()


def test_a_gradient_that_explodes_past_all_numbers_is_no_vanished_one(caplog) -> None:
    steep = wrap(lambda images: images + 1e30 * (1e30 * (images - images.detach())), name="steep")
    answer = GradientGeometry(DIGITS, (1,))(steep, BATCH, NOISE)
    for name in ("gradient_norm", "gradient_stretch", "eot_cosine", "eot_pearson"):
        assert answer[name].isnull().all(), name
    modes = GradientModes(DIGITS, (BPDA(),))(steep, BATCH, NOISE)
    assert modes.gradient_error.isnull().all()
    assert "NaN or infinity" in caplog.text
