"""What the measurements that differentiate say of maps whose Jacobian is known, and of maps that have none."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from purigeom import measure
from purigeom.catalog import BASELINES, DIGITS_UNET
from purigeom.geometry.memory import out_of_memory
from purigeom.geometry.spectrum.adaptive import Tolerance
from purigeom.images import Digits
from purigeom.measurements import configuration
from purigeom.measurements.compression import Compression
from purigeom.measurements.curvature import Curvature
from purigeom.measurements.directions import Directions
from purigeom.measurements.leading_spectrum import LeadingSpectrum
from purigeom.measurements.singular_vectors import SingularVectors
from purigeom.measurements.spectrum import Spectrum
from purigeom.noise import Noise
from purigeom.purifiers.diffusion.ddpm import DDPM
from purigeom.purifiers.wrapped import wrap

BATCH = Digits()[:4].load()
NOISE = Noise(0, BATCH.image_ids)
PURIFIER = DDPM(DIGITS_UNET, depth=60, steps=3)
ROWS_FADE = torch.linspace(1, 0.02, 8).reshape(8, 1)
FADING = wrap(lambda images: images * ROWS_FADE.to(images), name="fading")
"""Multiply every row by a factor of its own: singular vectors are pixels, left and right alike."""


def through_numpy(images):
    return torch.from_numpy(np.tanh(images.numpy()) / 2)


BLACK_BOX = wrap(through_numpy, name="numpy", differentiability="none")
COARSE = BASELINES["bit-depth"]
DIFFERENTIATING = (
    LeadingSpectrum(),
    Curvature((0.1,)),
    Directions(Digits("train")[:100]),
    SingularVectors(),
)


def test_leading_values_agree_with_the_exact_spectrum_within_their_errors() -> None:
    facts = measure(PURIFIER, BATCH, [Spectrum(), LeadingSpectrum(Tolerance(count=6))])
    exact = facts.singular_value
    np.testing.assert_allclose(facts.leading_singular_value[..., :6], exact[..., :6], rtol=1e-3)
    share = (exact < 0.25).mean("mode")
    assert (abs(facts.share_below.sel(threshold=0.25) - share) <= 3 * facts.share_error).all()
    assert (facts.share_least <= share + 1e-6).all()
    assert (facts.share_most >= share - 1e-6).all()
    norm = (exact**2).mean("mode") ** 0.5
    assert (abs(facts.root_mean_square / norm - 1) <= 2 * facts.root_mean_square_error).all()
    assert facts.tolerance_met.all()
    assert (facts.products <= 400).all()
    assert not facts.network_deviation.any()


def test_a_tolerance_that_was_not_met_is_stored_as_such() -> None:
    facts = measure(PURIFIER, BATCH, [LeadingSpectrum(Tolerance(count=6, leading=1e-7, most_products=30))])
    assert not facts.tolerance_met.any()
    assert (facts.products <= 30).all()


def test_half_precision_changes_little_and_its_errors_say_how_much() -> None:
    half = LeadingSpectrum(Tolerance(count=4, leading=1e-3, share=0.02, root_mean_square=0.02), half_precision=True)
    exact, found = (measure(PURIFIER, BATCH, [question]) for question in (Spectrum(), half))
    assert ((found.network_deviation > 1e-5) & (found.network_deviation < 0.05)).all()
    apart = abs(found.leading_singular_value / exact.singular_value[..., :4].values - 1)
    assert (apart > 1e-4).any()
    assert (apart <= found.leading_error).all()
    assert (found.leading_error >= found.network_deviation).all()
    assert not found.tolerance_met.any()
    loose = Tolerance(count=4, leading=0.05, share=0.05, root_mean_square=0.05)
    assert measure(PURIFIER, BATCH, [replace(half, tolerance=loose)]).tolerance_met.all()
    share = (exact.singular_value < 0.25).mean("mode")
    assert ((found.share_least <= share + 1e-6) & (share - 1e-6 <= found.share_most)).all()


def test_half_precision_of_a_map_without_slope_deviates_by_nothing() -> None:
    found = measure(NOTHING, BATCH, [LeadingSpectrum(Tolerance(count=2), half_precision=True)])
    assert (found.network_deviation == 0).all()
    assert (found.leading_singular_value == 0).all()


def test_half_precision_of_double_images_is_refused() -> None:
    images = BATCH.images.double()
    with pytest.raises(ValueError, match=r"changes nothing for torch.float64 images"):
        measure(PURIFIER, images, [LeadingSpectrum(half_precision=True)])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_network_in_half_precision_is_measured_and_half_images_are_refused(dtype) -> None:
    torch.manual_seed(0)
    full = torch.nn.Conv2d(1, 1, 3, padding=1).eval().requires_grad_(False)
    narrow = torch.nn.Conv2d(1, 1, 3, padding=1).eval().requires_grad_(False).to(dtype)
    narrow.load_state_dict(full.state_dict())
    half = wrap(lambda images: narrow(images.to(dtype)).to(images), name="half")
    questions = [LeadingSpectrum(Tolerance(count=2)), Spectrum(), Curvature((0.1,))]
    found, exact = (measure(one, BATCH, questions) for one in (half, wrap(full, name="full")))
    np.testing.assert_allclose(found.leading_singular_value, exact.leading_singular_value, rtol=0.02)
    np.testing.assert_allclose(found.singular_value[..., 0], exact.singular_value[..., 0], rtol=0.02)
    with pytest.raises(ValueError, match=rf"compute in float32 or float64; got {dtype} images"):
        measure(wrap(narrow, name="narrow"), BATCH.images.to(dtype), [Spectrum()])


def test_a_black_box_is_measured_by_differences_with_their_error() -> None:
    found = measure(BLACK_BOX, BATCH, [Spectrum()])
    slopes = (1 - torch.tanh(BATCH.images).square()).flatten(1).sort(1, descending=True).values / 2
    gap = abs(found.singular_value.squeeze().values - slopes.numpy()).max(1)
    assert (gap <= 2 * found.difference_error.values[0]).all()
    assert (found.difference_error < 0.05).all()
    assert not measure(PURIFIER, BATCH, [Spectrum()]).difference_error.any()


@pytest.mark.parametrize("question", DIFFERENTIATING, ids=lambda question: question.label)
def test_a_black_box_is_refused_where_derivatives_are_needed_and_the_rest_is_named(question) -> None:
    with pytest.raises(ValueError, match=r"declares differentiability 'none'\. Compression, Distances and Gallery"):
        measure(BLACK_BOX, BATCH, [question])
    assert measure(BLACK_BOX, BATCH, [Compression((0.1,))]).compression_ratio.notnull().all()


@pytest.mark.parametrize("question", [*DIFFERENTIATING, Spectrum()], ids=lambda question: question.label)
def test_a_piecewise_constant_purifier_is_named_and_so_is_what_still_runs(question) -> None:
    named = (
        rf"{type(question).__name__} needs .*BitDepth\(bits=2\) declares .*'piecewise constant', .*Compression, Dist"
    )
    with pytest.raises(ValueError, match=named):
        measure(COARSE, BATCH, [question])
    assert measure(COARSE, BATCH, [Compression((0.1,))]).compression_ratio.notnull().all()


class BackwardOnly(torch.autograd.Function):
    @staticmethod
    def forward(ctx, images):
        return images / 2

    @staticmethod
    def backward(ctx, cotangents):
        return cotangents / 2


LEAVING = {
    "no_grad": torch.no_grad()(lambda images: images.sin()),
    "detach": lambda images: images.sin() + images.detach().cos(),
    "numpy": lambda images: torch.from_numpy(np.tanh(images.detach().numpy())),
    "rounding": lambda images: (images * 3).round() / 3,
}


@pytest.mark.parametrize("question", [*DIFFERENTIATING, Spectrum()], ids=lambda question: question.label)
@pytest.mark.parametrize("leaving", LEAVING.values(), ids=LEAVING)
def test_no_question_about_derivatives_is_put_to_a_map_that_leaves_the_graph(leaving, question) -> None:
    with pytest.raises(ValueError, match=r"name='leaving'.* declares differentiability 'exact', but "):
        measure(wrap(leaving, name="leaving"), BATCH, [Compression((0.1,)), question])


def test_a_question_without_derivatives_may_be_put_to_any_map_and_checks_none() -> None:
    found = measure(wrap(LEAVING["numpy"], name="leaving"), BATCH, [Compression((0.1,))])
    assert "derivatives" not in found.attrs


def test_an_answer_says_how_its_derivatives_were_made() -> None:
    said = [measure(one, BATCH, [Spectrum()]).attrs["derivatives"] for one in (FADING, BLACK_BOX)]
    assert said[0].endswith("Tangents pass 1 step: 1 function by rule, none by vmap(jvp).")
    assert said[1].startswith("It declares differentiability 'none': derivatives are not checked")
    pulled = measure(wrap(BackwardOnly.apply, name="halving"), BATCH, [Spectrum()])
    np.testing.assert_allclose(pulled.singular_value, 0.5, rtol=1e-6)
    assert "By the adjoint of its pull" in pulled.attrs["derivatives"]


RANK_TWO = wrap(lambda images: images * (torch.arange(64).reshape(8, 8) < 2), name="two pixels")
NOTHING = wrap(torch.zeros_like, name="nothing")


@pytest.mark.parametrize(("purifier", "rank"), [(RANK_TWO, 2), (NOTHING, 0)], ids=["two pixels", "nothing"])
def test_vectors_of_singular_values_that_are_zero_are_not_invented(purifier, rank) -> None:
    found = measure(purifier, BATCH, [SingularVectors(Tolerance(count=4))])
    np.testing.assert_allclose(found.pair_singular_value[..., :rank], 1, rtol=1e-5)
    np.testing.assert_allclose(found.pair_singular_value[..., rank:], 0, atol=1e-5)
    for vectors in (found.left_singular_vector, found.right_singular_vector):
        known = vectors.notnull().all(("channel", "row", "column"))
        assert known[..., :rank].all()
        assert vectors.isel(pair=slice(rank, None)).isnull().all()


def test_an_alignment_of_spaces_that_are_not_known_is_not_invented() -> None:
    data = Digits("train")[:100]
    few, enough = (Directions(data, 4, 12, Tolerance(count=count)) for count in (4, 2))
    assert measure(RANK_TWO, BATCH, [few]).left_right_alignment.isnull().all()
    np.testing.assert_allclose(measure(RANK_TWO, BATCH, [enough]).left_right_alignment, 1, atol=1e-4)
    assert measure(NOTHING, BATCH, [enough]).left_right_alignment.isnull().all()


def test_fading_rows_give_pixels_for_singular_vectors() -> None:
    found = measure(FADING, BATCH, [SingularVectors(Tolerance(count=8))])
    np.testing.assert_allclose(found.pair_singular_value, 1, atol=1e-4)  # the first row has eight pixels of factor one
    for vectors in (found.left_singular_vector, found.right_singular_vector):
        np.testing.assert_allclose((vectors**2).sum(("channel", "column")).isel(row=0), 1, atol=1e-4)


def test_a_symmetric_map_keeps_its_leading_space_and_its_eigenvalues_are_its_singular_values() -> None:
    found = measure(FADING, BATCH, [Directions(Digits("train")[:200], along=4, neighbours=12)])
    np.testing.assert_allclose(found.left_right_alignment, 1, atol=1e-3)
    np.testing.assert_allclose(found.eigenvalue_magnitude[..., 0], 1, atol=1e-3)
    assert (found.eigenvalue_residual[..., 0] < 1e-2).all()


def test_a_trained_denoiser_keeps_the_data_s_directions_and_compresses_those_across() -> None:
    found = measure(PURIFIER, BATCH, [Directions(Digits("train"), along=8, neighbours=32)])
    assert (found.on_manifold_compression > found.off_manifold_compression).all()


def test_images_are_measured_in_as_many_parts_as_memory_asks_for(monkeypatch) -> None:
    whole = measure(PURIFIER, BATCH, [Spectrum()])
    asked, exactly = [], configuration.Jacobian.push

    def greedy(jacobian, vectors):
        asked.append(len(jacobian.images))
        if len(jacobian.images) > 1:
            raise torch.OutOfMemoryError
        return exactly(jacobian, vectors)

    monkeypatch.setattr(configuration.Jacobian, "push", greedy)
    parts = measure(PURIFIER, BATCH, [Spectrum()])
    assert out_of_memory(torch.OutOfMemoryError())
    assert asked[asked.index(4) :][:3] == [4, 2, 1]
    np.testing.assert_allclose(parts.singular_value, whole.singular_value, rtol=1e-3, atol=1e-5)


def test_tangents_that_become_infinite_name_the_image_by_its_id() -> None:
    rooted = wrap(lambda images: (images - images.amin((1, 2, 3), keepdim=True)).sqrt(), name="rooted")
    with pytest.raises(ValueError, match=f"in step 1 of 1, for image {BATCH.image_ids[0]}"):
        measure(rooted, BATCH, [Spectrum()])
