"""What the measurements that differentiate say of maps whose Jacobian is known, and of maps that have none."""

import numpy as np
import pytest
import torch

from purigeom import measure
from purigeom.catalog import DIGITS_UNET
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


def test_half_precision_changes_little_and_says_how_much() -> None:
    full, half = (
        measure(PURIFIER, BATCH, [LeadingSpectrum(Tolerance(count=4), half_precision=half)]) for half in (False, True)
    )
    assert ((half.network_deviation > 1e-5) & (half.network_deviation < 0.05)).all()
    np.testing.assert_allclose(half.leading_singular_value, full.leading_singular_value, rtol=0.05)


def test_a_black_box_is_measured_by_differences_with_their_error() -> None:
    found = measure(BLACK_BOX, BATCH, [Spectrum()])
    slopes = (1 - torch.tanh(BATCH.images).square()).flatten(1).sort(1, descending=True).values / 2
    gap = abs(found.singular_value.squeeze().values - slopes.numpy()).max(1)
    assert (gap <= 2 * found.difference_error.values[0]).all()
    assert (found.difference_error < 0.05).all()
    assert not measure(PURIFIER, BATCH, [Spectrum()]).difference_error.any()


@pytest.mark.parametrize("question", DIFFERENTIATING, ids=lambda question: question.label)
def test_a_black_box_is_refused_where_derivatives_are_needed_and_the_rest_is_named(question) -> None:
    with pytest.raises(ValueError, match=r"declares differentiability 'none'\. Compression and Distances"):
        measure(BLACK_BOX, BATCH, [question])
    assert measure(BLACK_BOX, BATCH, [Compression((0.1,))]).compression_ratio.notnull().all()


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
    assert asked[:3] == [4, 2, 1]
    np.testing.assert_allclose(parts.singular_value, whole.singular_value, rtol=1e-3, atol=1e-5)


def test_tangents_that_become_infinite_name_the_image_by_its_id() -> None:
    rooted = wrap(lambda images: (images - images.amin((1, 2, 3), keepdim=True)).sqrt(), name="rooted")
    with pytest.raises(ValueError, match=f"in step 1 of 1, for image {BATCH.image_ids[0]}"):
        measure(rooted, BATCH, [Spectrum()])
