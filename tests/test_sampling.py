import numpy as np
import pytest
import torch
import xarray as xr

from purigeom import measure
from purigeom.catalog import DIGITS_UNET
from purigeom.geometry.displacement import Towards, UniformBall
from purigeom.geometry.spectrum.adaptive import Tolerance
from purigeom.images import Digits
from purigeom.measurements.compression import Compression
from purigeom.measurements.curvature import Curvature
from purigeom.measurements.leading_spectrum import LeadingSpectrum
from purigeom.measurements.spectrum import Spectrum
from purigeom.purifiers.diffusion.ddpm import DDPM
from purigeom.purifiers.wrapped import wrap
from purigeom.sampling import Components, controlled, planned, variance_components
from purigeom.sequential import compression_within

PURIFIER = DDPM(DIGITS_UNET, depth=60, steps=2)
HALVING = wrap(lambda images: images / 2, name="halving")


def planted(image, draw, probe, sizes=(400, 6, 5), seed=0):
    random = np.random.default_rng(seed)
    images, draws, _ = sizes
    values = (
        0.5
        + image * random.standard_normal((images, 1, 1))
        + draw * random.standard_normal((images, draws, 1))
        + probe * random.standard_normal(sizes)
    )
    return xr.DataArray(values, dims=("image", "draw", "probe"))


def test_planted_components_are_found() -> None:
    found = variance_components(planted(0.02, 0.03, 0.05))
    np.testing.assert_allclose([found.image**0.5, found.draw**0.5, found.probe**0.5], [0.02, 0.03, 0.05], rtol=0.15)


def test_the_stated_standard_error_is_that_of_repeated_studies() -> None:
    means = [planted(0.02, 0.03, 0.05, (20, 2, 3), seed).mean().item() for seed in range(400)]
    expected = Components(0.5, 0.02**2, 0.03**2, 0.05**2).standard_error(20, 2, 3)
    np.testing.assert_allclose(np.std(means), expected, rtol=0.1)


def test_without_variation_between_images_none_is_found() -> None:
    assert variance_components(planted(0, 0, 0.05)).image < 1e-5


@pytest.mark.parametrize("target", [0.01, 0.001])
def test_a_plan_reaches_its_error_at_no_more_than_fifty_probes_would_cost(target) -> None:
    components = Components(0.1845, 0.0074**2, 0.0096**2, 0.0259**2)
    plan = planned(components, target)
    assert components.standard_error(plan.images, plan.draws, plan.probes) <= target
    fifty = max(2, int(np.ceil((components.standard_error(1, 1, 50) / target) ** 2)))
    assert plan.purifications <= fifty * 51
    assert plan.probes < 8


def test_ratios_that_cannot_be_split_are_refused() -> None:
    with pytest.raises(ValueError, match="at least two probes"):
        variance_components(planted(1, 1, 1, (5, 2, 1)))
    with pytest.raises(ValueError, match="above zero"):
        planned(Components(1, 1, 1, 1), 0)


def measured(radius, spectrum, probes=24):
    questions = [Compression((radius,), probes=probes), Curvature((radius,), probes=probes), spectrum]
    return measure(PURIFIER, Digits()[:6], questions)


@pytest.mark.parametrize("spectrum", [Spectrum(), LeadingSpectrum(Tolerance(root_mean_square=0.002))])
def test_the_linear_part_takes_most_of_the_variance_and_leaves_the_mean(spectrum) -> None:
    facts = measured(0.02, spectrum)
    plain = facts.compression_ratio
    error = plain.std("probe", ddof=1) / plain.sizes["probe"] ** 0.5
    found = controlled(facts)
    assert (found.standard_error < error / 3).all()
    assert (abs(found.compression_ratio - plain.mean("probe")) < 4 * error).all()
    many = measure(PURIFIER, Digits()[:6], [Compression((0.02,), probes=400)]).compression_ratio
    truth, luck = many.mean("probe"), many.std("probe", ddof=1) / 20
    assert (abs(found.compression_ratio - truth) < 4 * np.hypot(luck, found.standard_error)).all()


def test_curvature_grows_with_the_radius_and_vanishes_for_linear_maps() -> None:
    facts = Curvature((0.01, 0.1), probes=4)
    curved = measure(PURIFIER, Digits()[:4], [facts]).curvature.mean(("draw", "probe", "image")).squeeze()
    assert curved[1] > 3 * curved[0] > 0
    assert measure(HALVING, Digits()[:4], [facts]).curvature.max() < 1e-4


def test_a_linear_ratio_is_the_compression_of_a_small_displacement() -> None:
    facts = measured(0.001, Spectrum(), probes=4)
    np.testing.assert_allclose(facts.linear_ratio, facts.compression_ratio, rtol=2e-2)


def test_directed_displacements_have_no_known_mean() -> None:
    towards = Towards("noon", torch.ones(6, 1, 8, 8), tuple(Digits()[:6].load().image_ids))
    questions = [Compression((0.1,), towards), Curvature((0.1,), towards), Spectrum()]
    with pytest.raises(ValueError, match="prefer no direction"):
        controlled(measure(PURIFIER, Digits()[:6], questions))


def test_what_control_needs_is_named() -> None:
    with pytest.raises(ValueError, match="controlled needs compression_ratio, linear_ratio"):
        controlled(measure(PURIFIER, Digits()[:2], [Compression((0.1,))]))


def test_measuring_stops_when_the_mean_is_known() -> None:
    question = Compression((0.1,), UniformBall(), probes=2)
    wide, narrow = (compression_within(PURIFIER, Digits()[:96], question, width) for width in (0.02, 0.005))
    assert wide.met
    assert wide.half_width <= 0.02
    assert wide.facts.sizes["image"] < narrow.facts.sizes["image"]
    whole = measure(PURIFIER, Digits()[:96], [question]).compression_ratio.mean().item()
    assert abs(wide.value - whole) < 2 * wide.half_width


def test_images_that_run_out_leave_the_mean_unmet() -> None:
    found = compression_within(PURIFIER, Digits()[:16], Compression((0.1,)), 1e-6)
    assert not found.met
    assert found.facts.sizes["image"] == 16


def test_images_are_taken_as_measure_takes_them() -> None:
    batch = Digits()[:16].load()
    question = Compression((0.1,), probes=1)
    tensor, whole, named = (compression_within(HALVING, one, question, 0.1) for one in (batch.images, batch, Digits()))
    assert tensor.value == pytest.approx(0.5, rel=1e-5)
    assert tensor.facts.image.values.tolist() == list(range(16))
    assert whole.facts.image.values.tolist() == named.facts.image.values.tolist() == list(batch.image_ids)
    with pytest.raises(ValueError, match="no images to measure"):
        compression_within(HALVING, batch.images[:0], question, 0.1)
