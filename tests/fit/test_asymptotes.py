"""Claims about sigmoids whose floor, or both asymptotes, the data decide."""

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import t as student

from purigeom.fit import curve, fit_sigmoid, prediction_interval, standard_errors

MIDPOINT, SLOPE, IMAGES = 0.5, 12.0, 400
COMPRESSION = np.linspace(0.05, 0.95, 20)
FREEDOMS = ((1.0, 0.0), (None, 0.0), (1.0, None), (None, None))
PLACES = [0.1, 0.25, 0.4, 0.55, 0.7, 0.85]


def _truth(compression, ceiling=1.0, floor=0.0):
    return floor + (ceiling - floor) * expit(-SLOPE * (np.asarray(compression) - MIDPOINT))


def _parameters(fit):
    return [fit.midpoint, fit.slope, fit.ceiling, fit.floor]


@pytest.mark.parametrize(("ceiling", "floor"), [(1.0, 0.1), (0.85, 0.0), (0.85, 0.1), (0.4, 0.3)])
def test_points_on_a_raised_sigmoid_give_it_back(ceiling, floor):
    survival = _truth(COMPRESSION, ceiling, floor)
    for asked in ((ceiling, floor), (None, floor), (ceiling, None), (None, None)):
        fit = fit_sigmoid(COMPRESSION, survival, IMAGES, *asked)
        np.testing.assert_allclose(_parameters(fit), [MIDPOINT, SLOPE, ceiling, floor], rtol=1e-5, atol=1e-7)
        assert fit.degrees_of_freedom == 18 - sum(one is None for one in asked)


def test_a_floor_is_a_ceiling_seen_from_the_other_side():
    survival = np.random.default_rng(0).binomial(IMAGES, _truth(COMPRESSION, 0.8)) / IMAGES
    above, below = (
        fit_sigmoid(COMPRESSION, survival, IMAGES, None),
        fit_sigmoid(COMPRESSION, 1 - survival, IMAGES, 1, None),
    )
    np.testing.assert_allclose([below.midpoint, -below.slope, 1 - below.floor], _parameters(above)[:3], rtol=1e-6)
    assert below.names == ("midpoint", "slope", "floor")
    assert standard_errors(below)["floor"] == pytest.approx(standard_errors(above)["ceiling"], rel=1e-5)
    for interval in (curve, lambda fit, at: prediction_interval(fit, at, IMAGES)):
        (_, low, high), (_, rest_low, rest_high) = interval(above, PLACES), interval(below, PLACES)
        np.testing.assert_allclose([low, high], [1 - rest_high, 1 - rest_low], rtol=1e-5, atol=1e-9)


def test_freer_asymptotes_never_fit_worse():
    random = np.random.default_rng(1)
    for _ in range(20):
        survival = random.binomial(IMAGES, _truth(COMPRESSION, 0.9, 0.05) * random.uniform(0.8, 1, 20)) / IMAGES
        lost = {free: fit_sigmoid(COMPRESSION, survival, IMAGES, *free).deviance for free in FREEDOMS}
        assert lost[None, None] <= min(lost[None, 0.0], lost[1.0, None]) + 1e-6
        assert max(lost[None, 0.0], lost[1.0, None]) <= lost[1.0, 0.0] + 1e-6


def test_a_fitted_floor_is_recovered_within_its_error():
    random, reach = np.random.default_rng(2), student.ppf(0.975, 16)
    shares = [expit(np.log(p / (1 - p)) + random.normal(0, 0.15, 20)) for p in [_truth(COMPRESSION, 0.9, 0.15)] * 60]
    fits = [fit_sigmoid(COMPRESSION, random.binomial(IMAGES, share) / IMAGES, IMAGES, None, None) for share in shares]
    free = [fit for fit in fits if len(fit.names) == 4]
    inside = [abs(fit.floor - 0.15) < reach * standard_errors(fit)["floor"] for fit in free]
    assert len(free) >= 50
    assert np.mean(inside) >= 0.85


def test_a_floor_that_ends_at_zero_is_held_there():
    survival = [0.98, 0.9, 0.6, 0.25, 0.02, 0.0]
    held, fixed = fit_sigmoid(PLACES, survival, IMAGES, 1.0, None), fit_sigmoid(PLACES, survival, IMAGES)
    assert (held.floor, held.names) == (0.0, ("midpoint", "slope"))
    assert held.slope == pytest.approx(fixed.slope)
    assert held.degrees_of_freedom == fixed.degrees_of_freedom - 1


def test_survival_that_rises_has_its_asymptotes_in_order():
    survival = _truth(COMPRESSION, 0.8, 0.1)[::-1]
    fit = fit_sigmoid(COMPRESSION, survival, IMAGES, None, None)
    np.testing.assert_allclose(_parameters(fit), [MIDPOINT, -SLOPE, 0.8, 0.1], rtol=1e-5)


@pytest.mark.parametrize(
    ("ceiling", "floor", "complaint"),
    [
        (1.0, -0.1, r"floor must lie in \[0, 1\), below the ceiling.*got -0.1"),
        (0.6, 0.7, r"floor must lie in \[0, 0.6\).*got 0.7"),
        (None, 1.0, r"floor must lie in \[0, 1\).*got 1"),
        (None, None, "at least 5 purifiers for 4 parameters.*got 4"),
    ],
)
def test_asymptotes_out_of_order_and_too_few_points_are_refused(ceiling, floor, complaint):
    with pytest.raises(ValueError, match=complaint):
        fit_sigmoid(PLACES[:4], [0.9, 0.7, 0.4, 0.2], IMAGES, ceiling, floor)


@pytest.mark.parametrize(("ceiling", "floor"), FREEDOMS)
def test_a_jump_has_no_slope_however_free_the_asymptotes(ceiling, floor):
    with pytest.raises(RuntimeError, match="Add purifiers whose survival lies between 10 and 90 %"):
        fit_sigmoid(np.linspace(0, 1, 12), [1.0] * 6 + [0.0] * 6, 200, ceiling, floor)
