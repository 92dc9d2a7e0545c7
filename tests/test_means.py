"""Claims about means over images."""

import numpy as np
import pytest
import xarray as xr

from purigeom.means import estimate, estimates

RANDOM = np.random.default_rng(0)


def _facts(*sizes: int) -> xr.DataArray:
    names = ("purifier", "image", "draw", "probe")[: len(sizes)]
    return xr.DataArray(RANDOM.normal(size=sizes), dims=names, name="stretch")


def test_estimate_equals_the_formula_by_hand() -> None:
    facts = _facts(2, 9, 3, 4)
    answer = estimate(facts)
    per_image = facts.values.mean(axis=(2, 3))
    np.testing.assert_allclose(answer["mean"], per_image.mean(axis=1))
    np.testing.assert_allclose(answer["standard_error"], per_image.std(axis=1, ddof=1) / 3)
    assert answer["count"].values.tolist() == [9, 9]


def test_every_other_dimension_and_its_coordinates_are_kept() -> None:
    facts = _facts(2, 9, 3).assign_coords(purifier=["blur", "identity"], family=("purifier", ["a", "b"]))
    answer = estimate(facts)
    assert answer["mean"].dims == ("purifier",)
    assert answer.purifier.values.tolist() == ["blur", "identity"]
    assert "family" in answer.coords


def test_a_sampled_dimension_can_be_kept() -> None:
    assert estimate(_facts(2, 9, 3), over=("image",))["mean"].dims == ("purifier", "draw")


def test_probes_of_one_image_are_not_counted_as_independent() -> None:
    one = _facts(1, 20)
    repeated = one.expand_dims(probe=100)
    xr.testing.assert_allclose(estimate(one), estimate(repeated))


def test_the_standard_error_shrinks_with_the_root_of_the_images() -> None:
    few, many = (estimate(_facts(200, images))["standard_error"].mean() for images in (20, 80))
    assert float(few / many) == pytest.approx(2, rel=0.05)


def test_the_standard_error_is_the_spread_of_the_mean_over_repetitions() -> None:
    image = RANDOM.normal(size=(2000, 10, 1))
    answer = estimate(xr.DataArray(image + RANDOM.normal(size=(2000, 10, 5)), dims=("purifier", "image", "draw")))
    assert float(answer["mean"].std()) == pytest.approx(float((answer["standard_error"] ** 2).mean() ** 0.5), rel=0.05)


def test_facts_that_are_missing_are_left_out() -> None:
    facts = xr.DataArray([[1.0, np.nan], [2.0, 4.0], [np.nan, np.nan]], dims=("image", "draw"))
    answer = estimate(facts)
    assert float(answer["mean"]) == 2
    assert float(answer["standard_error"]) == pytest.approx(1)
    assert int(answer["count"]) == 2


def test_one_image_has_no_standard_error() -> None:
    answer = estimate(_facts(1, 1, 5))
    assert np.isnan(answer["standard_error"]).all()
    assert np.isfinite(answer["mean"]).all()


def test_no_image_has_no_mean() -> None:
    answer = estimate(xr.full_like(_facts(1, 3, 2), np.nan))
    assert np.isnan(answer["mean"]).all()
    assert int(answer["count"].item()) == 0


def test_true_and_false_count_as_one_and_zero() -> None:
    facts = _facts(2, 9, 3) > 0
    xr.testing.assert_equal(estimate(facts), estimate(facts.astype(float)))


def test_facts_without_an_image_are_refused() -> None:
    with pytest.raises(ValueError, match=r"one fact per image.*dimensions \('purifier',\)"):
        estimate(_facts(3))
    with pytest.raises(ValueError, match="averaged over 'image'"):
        estimate(_facts(2, 3, 4), over=("draw",))


def test_estimates_answer_for_every_number_that_has_an_image() -> None:
    stretch = _facts(2, 9, 3).assign_attrs(units="1")
    results = xr.Dataset(
        {
            "stretch": stretch,
            "survived": stretch > 0,
            "depth": ("purifier", [1, 2]),
            "word": ("image", ["a"] * 9),
        },
        attrs={"commit": "abc"},
    )
    answer = estimates(results)
    assert set(answer) == {"stretch", "stretch_standard_error", "survived", "survived_standard_error"}
    xr.testing.assert_equal(answer["survived"], estimate(results["survived"])["mean"].rename("survived"))
    assert answer.attrs == {"commit": "abc"}
    assert answer["stretch"].attrs == {"units": "1"}


def test_infinite_facts_have_no_error_bar_and_no_warning() -> None:
    found = estimate(xr.DataArray([np.inf, np.inf], dims="image"))
    assert np.isinf(found["mean"].item())
    assert np.isnan(found["standard_error"].item())
