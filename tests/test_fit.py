"""Claims about the sigmoid of survival against compression."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import t as student

from purigeom.fit import SigmoidFit, curve, fit_sigmoid, prediction_interval, standard_errors

MIDPOINT, SLOPE, IMAGES = 0.5, 7.0, 200
COMPRESSION = np.linspace(0.1, 0.9, 12)
FALLING = [0.97, 0.91, 0.72, 0.4, 0.12, 0.05]
PLACES = [0.1, 0.25, 0.4, 0.55, 0.7, 0.85]


def _truth(compression: np.ndarray, ceiling: float = 1.0) -> np.ndarray:
    return ceiling * expit(-SLOPE * (compression - MIDPOINT))


def _planted(random: np.random.Generator, compression: np.ndarray, spread: float = 0.5, ceiling: float = 1.0):
    logits = -SLOPE * (compression - MIDPOINT) + random.normal(0, spread, compression.shape)
    return random.binomial(IMAGES, ceiling * expit(logits)) / IMAGES


@pytest.mark.parametrize("ceiling", [1.0, 0.85])
def test_points_on_a_sigmoid_give_it_back(ceiling: float) -> None:
    survival = _truth(COMPRESSION, ceiling)
    for asked in (ceiling, None):
        fit = fit_sigmoid(COMPRESSION, survival, IMAGES, asked)
        np.testing.assert_allclose([fit.midpoint, fit.slope, fit.ceiling], [MIDPOINT, SLOPE, ceiling], rtol=1e-6)
        assert fit.deviance == pytest.approx(0, abs=1e-8)


def test_the_units_of_compression_only_change_the_units() -> None:
    one = fit_sigmoid(PLACES, FALLING, IMAGES)
    hundred = fit_sigmoid(100 * np.array(PLACES) + 7, FALLING, IMAGES)
    assert hundred.midpoint == pytest.approx(100 * one.midpoint + 7)
    assert standard_errors(hundred)["slope"] == pytest.approx(standard_errors(one)["slope"] / 100)
    assert hundred.aicc_line == pytest.approx(one.aicc_line, rel=1e-5)


def test_survival_that_rises_has_a_negative_slope() -> None:
    falling, rising = (fit_sigmoid(PLACES, order, IMAGES) for order in (FALLING, FALLING[::-1]))
    assert rising.slope == pytest.approx(-falling.slope)
    assert standard_errors(rising)["slope"] == pytest.approx(standard_errors(falling)["slope"])


def test_with_a_ceiling_of_one_the_fit_is_the_quasi_binomial_of_statsmodels() -> None:
    statsmodels = pytest.importorskip("statsmodels.api")
    count = np.array([50, 80, 200, 120, 90, 60])
    survival = np.array([0.99, 0.75, 0.8, 0.3, 0.25, 0.05])
    fit = fit_sigmoid(PLACES, survival, count)
    model = statsmodels.GLM(
        survival,
        statsmodels.add_constant(np.array(PLACES)),
        family=statsmodels.families.Binomial(),
        var_weights=count,
    ).fit(scale="X2", tol=1e-12)
    level_and_slope = np.array([[fit.slope, fit.midpoint], [0, -1]])
    covariance = level_and_slope @ np.array(fit.covariance) @ level_and_slope.T
    assert fit.dispersion == pytest.approx(model.scale, rel=1e-6)
    assert fit.dispersion > 1
    np.testing.assert_allclose([fit.slope * fit.midpoint, -fit.slope], model.params, rtol=1e-6)
    np.testing.assert_allclose(covariance, model.cov_params(), rtol=1e-6)
    assert fit.deviance == pytest.approx(model.deviance)


def test_the_covariance_is_the_inverse_curvature_of_the_expected_likelihood() -> None:
    fit = fit_sigmoid(COMPRESSION, _truth(COMPRESSION, 0.85), IMAGES, None)
    best = np.array([fit.midpoint, fit.slope, fit.ceiling])
    mean = _truth(COMPRESSION, 0.85)

    def surprise(parameters: np.ndarray) -> float:
        midpoint, slope, ceiling = parameters
        guess = ceiling * expit(-slope * (COMPRESSION - midpoint))
        return -IMAGES * float(mean @ np.log(guess) + (1 - mean) @ np.log1p(-guess))

    step = np.diag([1e-3, 1e-2, 1e-3])
    curvature = [
        [
            sum(a * b * surprise(best + a * one + b * two) for a in (1, -1) for b in (1, -1))
            / (4 * one.max() * two.max())
            for one in step
        ]
        for two in step
    ]
    np.testing.assert_allclose(np.array(fit.covariance), np.linalg.inv(curvature), rtol=1e-2)


@pytest.fixture(scope="module")
def replicates() -> list[tuple[SigmoidFit, float]]:
    """Return fits of planted sigmoids, each with the survival of a purifier that was held out."""
    random, held_out = np.random.default_rng(1), 0.35
    survivals = [_planted(random, np.append(COMPRESSION, held_out)) for _ in range(200)]
    return [(fit_sigmoid(COMPRESSION, survival[:-1], IMAGES), survival[-1]) for survival in survivals]


def test_the_slope_lies_in_its_interval_as_often_as_promised(replicates) -> None:
    reach = student.ppf(0.975, len(COMPRESSION) - 2)
    inside = [abs(fit.slope - SLOPE) < reach * standard_errors(fit)["slope"] for fit, _ in replicates]
    assert 0.88 <= np.mean(inside) <= 0.99


def test_the_curve_lies_in_its_band_as_often_as_promised(replicates) -> None:
    places = np.array([0.2, 0.5, 0.8])
    bands = [curve(fit, places) for fit, _ in replicates]
    inside = np.mean([(low <= _truth(places)) & (_truth(places) <= high) for _, low, high in bands], axis=0)
    assert inside.min() >= 0.88
    assert inside.max() <= 0.99


def test_a_held_out_purifier_lies_in_its_interval_as_often_as_promised(replicates) -> None:
    intervals = [(prediction_interval(fit, 0.35, IMAGES), survival) for fit, survival in replicates]
    inside = [low.item() <= survival <= high.item() for (_, low, high), survival in intervals]
    assert 0.8 <= np.mean(inside) <= 0.97


def test_a_purely_binomial_error_would_promise_too_much(replicates) -> None:
    reach = student.ppf(0.975, len(COMPRESSION) - 2)
    shrink = [standard_errors(fit)["slope"] / np.sqrt(max(fit.dispersion, 1)) for fit, _ in replicates]
    inside = [abs(fit.slope - SLOPE) < reach * error for (fit, _), error in zip(replicates, shrink, strict=True)]
    assert np.mean(inside) < 0.8


def test_binomial_data_have_a_dispersion_of_about_one() -> None:
    random = np.random.default_rng(2)
    survivals = [_planted(random, COMPRESSION, spread=0.0) for _ in range(100)]
    assert 0.85 < np.mean([fit_sigmoid(COMPRESSION, survival, IMAGES).dispersion for survival in survivals]) < 1.15


def test_a_fitted_ceiling_is_recovered_within_its_error() -> None:
    random, reach = np.random.default_rng(3), student.ppf(0.975, len(COMPRESSION) - 3)
    fits = [fit_sigmoid(COMPRESSION, _planted(random, COMPRESSION, 0.3, 0.8), IMAGES, None) for _ in range(60)]
    free = [fit for fit in fits if "ceiling" in fit.names]
    inside = [abs(fit.ceiling - 0.8) < reach * standard_errors(fit)["ceiling"] for fit in free]
    assert len(free) >= 50
    assert np.mean(inside) >= 0.85


def test_a_ceiling_that_ends_at_one_is_held_there() -> None:
    survival = [1.0, 0.99, 0.95, 0.6, 0.3, 0.02]
    held, fixed = fit_sigmoid(PLACES, survival, IMAGES, None), fit_sigmoid(PLACES, survival, IMAGES)
    assert held.names == ("midpoint", "slope")
    assert held.slope == pytest.approx(fixed.slope)
    assert held.degrees_of_freedom == fixed.degrees_of_freedom - 1


def test_a_ceiling_that_the_points_do_not_show_has_a_large_error() -> None:
    shown, tail = np.linspace(0.1, 0.9, 10), np.linspace(0.75, 0.95, 10)
    sure, unsure = (fit_sigmoid(at, _truth(at, 0.8), IMAGES, None) for at in (shown, tail))
    assert standard_errors(unsure)["ceiling"] > 20 * standard_errors(sure)["ceiling"]
    assert standard_errors(unsure)["ceiling"] > 0.5


def test_intervals_stay_within_zero_and_one_and_around_the_curve() -> None:
    fit = fit_sigmoid(PLACES, [0.9, 1.0, 0.5, 0.6, 0.0, 0.1], 20)
    for interval in (curve(fit, np.linspace(-3, 4, 50)), prediction_interval(fit, np.linspace(-3, 4, 50), 5)):
        mean, low, high = interval
        assert low.min() >= 0
        assert high.max() <= 1
        assert (low <= mean + 1e-12).all()
        assert (mean <= high + 1e-12).all()


def test_a_new_purifier_is_less_sure_than_the_curve_and_more_images_help_only_so_far() -> None:
    fit = fit_sigmoid(PLACES, [0.99, 0.7, 0.85, 0.3, 0.25, 0.02], IMAGES)
    few, same, many = (prediction_interval(fit, 0.5, count, level=0.95) for count in (10, IMAGES, 10**9))
    few, same, many, band = ((high - low).item() for _, low, high in (few, same, many, curve(fit, 0.5)))
    assert few > same > many > 1.1 * band


def test_intervals_do_not_trust_scatter_smaller_than_binomial() -> None:
    fit = fit_sigmoid(COMPRESSION, _truth(COMPRESSION), IMAGES)
    assert fit.dispersion < 1e-6
    exact = replace(fit, dispersion=1.0)
    assert prediction_interval(fit, 0.5, IMAGES) == prediction_interval(exact, 0.5, IMAGES)
    assert standard_errors(fit)["slope"] > 0.1


def test_a_new_purifier_at_either_end_of_the_curve_is_predicted_near_that_end() -> None:
    fit = fit_sigmoid(COMPRESSION, expit(-20 * (COMPRESSION - 0.5)), IMAGES)
    _, low, high = prediction_interval(fit, [0.0, 1.0], IMAGES)
    assert low[0] > 0.95
    assert high[1] < 0.05


def test_the_criterion_prefers_a_constant_on_flat_data() -> None:
    random = np.random.default_rng(4)
    fits = [fit_sigmoid(COMPRESSION, random.binomial(IMAGES, 0.4, 12) / IMAGES, IMAGES) for _ in range(40)]
    assert np.mean([fit.aicc_constant < min(fit.aicc, fit.aicc_line) for fit in fits]) > 0.75


def test_the_criterion_prefers_the_sigmoid_on_sigmoidal_data() -> None:
    random = np.random.default_rng(5)
    compression = np.linspace(0, 1, 16)
    fits = [fit_sigmoid(compression, _planted(random, compression, 0.2), IMAGES) for _ in range(40)]
    assert np.mean([fit.aicc < min(fit.aicc_constant, fit.aicc_line) for fit in fits]) > 0.9


def test_the_criterion_prefers_the_line_on_a_line() -> None:
    compression = np.linspace(0, 1, 16)
    fit = fit_sigmoid(compression, 0.98 - 0.96 * compression, 2000)
    assert fit.aicc_line < min(fit.aicc, fit.aicc_constant)


def test_a_handful_of_purifiers_never_prefers_the_sigmoid() -> None:
    fit = fit_sigmoid([0.2, 0.4, 0.6, 0.8], [0.9, 0.7, 0.2, 0.1], IMAGES)
    assert fit.aicc == float("inf")


def test_a_fit_is_a_value() -> None:
    first, second = (fit_sigmoid(PLACES, FALLING, IMAGES) for _ in range(2))
    assert first == second
    assert hash(first) == hash(second)


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"compression": [0.1, 0.2]}, r"got shapes \(2,\), \(6,\) and \(\)"),
        ({"count": [5, 5]}, r"and \(2,\)"),
        ({"compression": PLACES[:2], "survival": FALLING[:2]}, "at least 3 purifiers for 2 parameters.*got 2"),
        ({"compression": PLACES[:3], "survival": FALLING[:3], "ceiling": None}, "at least 4 purifiers.*got 3"),
        ({"survival": [*FALLING[:5], 1.2]}, r"fraction in \[0, 1\]; got 0.12 to 1.2"),
        ({"survival": [*FALLING[:5], float("nan")]}, r"survival is nan at \[5\]"),
        ({"compression": [*PLACES[:5], float("inf")]}, r"compression is inf at \[5\]"),
        ({"survival": [0.4] * 6}, "all 6 purifiers survive at 0.4"),
        ({"compression": [0.5] * 6}, "at least 2 different compressions"),
        ({"count": 0}, "positive count"),
        ({"ceiling": 1.5}, r"ceiling must lie in \(0, 1\].*got 1.5"),
    ],
)
def test_points_without_a_curve_are_refused(changed: dict, complaint: str) -> None:
    points = {"compression": PLACES, "survival": FALLING, "count": IMAGES} | changed
    with pytest.raises(ValueError, match=complaint):
        fit_sigmoid(**points)


def test_a_jump_between_neighbours_has_no_slope() -> None:
    with pytest.raises(RuntimeError, match="Add purifiers whose survival lies between 10 and 90 %"):
        fit_sigmoid(PLACES, [1, 1, 1, 0, 0, 0], IMAGES)


def test_a_slope_of_zero_has_no_midpoint() -> None:
    with pytest.raises(RuntimeError, match="no midpoint"):
        fit_sigmoid([0.2, 0.4, 0.6, 0.8], [0.3, 0.5, 0.5, 0.3], IMAGES)


def test_an_interval_needs_a_level_between_zero_and_one() -> None:
    with pytest.raises(ValueError, match="between 0 and 1; got 95"):
        curve(fit_sigmoid(PLACES, FALLING, IMAGES), 0.5, level=95)
