"""Predictors learn rules that were planted, and nothing where nothing is to be learnt."""

import numpy as np
import pytest

from purigeom.fit.held_out import held_out
from purigeom.prediction.compared import BELIEVED, PREDICTORS, compared
from purigeom.prediction.reaches import at_face_value, calibrated, chances, logistic
from purigeom.prediction.regression import geometry_regression
from tests.prediction.tables import made

TABLE = made()


def test_the_logistic_function_that_was_planted_is_found() -> None:
    table = made(samples=4000)
    places = np.log(table.margin_reach.values).reshape(1, -1)
    level, slope = logistic(places, table.survived.values.reshape(-1), np.ones(places.shape[1]))
    assert level == pytest.approx(-0.5, abs=0.05)
    assert slope == pytest.approx(4, abs=0.1)


def test_a_reach_that_says_nothing_gets_no_slope() -> None:
    places = np.random.default_rng(0).standard_normal((1, 1000))
    _, slope = logistic(-places, (places[0] > 0).astype(float), np.ones(1000))
    assert slope == 0, "survivors have the smaller reach, which no calibration believes"


def test_images_without_a_reach_are_lost_and_endless_ones_are_safe() -> None:
    found = chances(np.array([[0.0, -np.inf, -2.0, np.inf]]), np.array([0.0, 5.0]))
    assert found.tolist()[:3] == [0, 0, 0]
    assert found[3] > 0.999


@pytest.mark.parametrize("learn", [calibrated("margin_reach"), calibrated("margin_reach", "anchor_reach")])
def test_purifiers_of_families_left_out_are_predicted_to_within_chance(learn) -> None:
    missed = held_out(learn, TABLE, TABLE.family.values) - TABLE.survival.values
    assert np.abs(missed).mean() < 0.03


def test_at_face_value_nothing_is_learnt() -> None:
    predict = at_face_value("margin_reach")(TABLE.isel(purifier=[0]))
    np.testing.assert_allclose(predict(TABLE), (TABLE.margin_reach > 1).mean("sample"))


def test_unknown_reaches_are_left_out_of_a_share() -> None:
    table = TABLE.copy(deep=True)
    table["margin_reach"][:, :100] = np.nan
    whole, half = (calibrated("margin_reach")(TABLE)(one) for one in (TABLE.isel(sample=slice(100, 200)), table))
    np.testing.assert_allclose(whole, half)


def test_the_regression_sees_what_was_planted_and_never_exceeds_clean_accuracy() -> None:
    missed = held_out(geometry_regression, TABLE, TABLE.family.values) - TABLE.survival.values
    assert np.abs(missed).mean() < 0.06
    poor = TABLE.assign(classified=0.3 * TABLE.classified)
    assert (geometry_regression(TABLE)(poor) <= 0.3 + 1e-12).all()


def test_who_is_believed_was_named_beforehand_and_comes_first() -> None:
    assert next(iter(PREDICTORS)) == BELIEVED


def test_intervals_cover_families_left_out() -> None:
    assert compared("margin spread", made(purifiers=40)).coverage >= 0.85
