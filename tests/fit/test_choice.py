"""Claims about what purifiers support: planted curves are told apart, and no sigmoid is found in six points."""

import numpy as np
import pytest
from scipy.special import expit, logit

from purigeom.fit import SigmoidFit, chosen, fit_sigmoid
from purigeom.fit.choice import CANDIDATES

IMAGES = 200


def _choices(truth, purifiers, replicates=20, spread=0.4):
    random, compression = np.random.default_rng(0), np.linspace(0.1, 0.9, purifiers)
    scattered = [expit(logit(truth(compression)) + random.normal(0, spread, purifiers)) for _ in range(replicates)]
    return [chosen(compression, random.binomial(IMAGES, one) / IMAGES, IMAGES) for one in scattered]


def _steep(compression):
    return expit(-10 * (compression - 0.5))


def test_a_planted_sigmoid_is_found_among_thirty_purifiers():
    choices = _choices(_steep, 30)
    assert np.mean([one.supports_sigmoid for one in choices]) > 0.9
    assert np.mean([one.best == "sigmoid" for one in choices]) > 0.6
    assert all("30 purifiers support a sigmoid" in one.sentence for one in choices if one.supports_sigmoid)


def test_planted_asymptotes_are_found_among_thirty_purifiers():
    choices = _choices(lambda compression: 0.1 + 0.75 * expit(-14 * (compression - 0.5)), 30, spread=0.2)
    assert np.mean([one.best == "sigmoid (ceiling and floor fitted)" for one in choices]) > 0.6


@pytest.mark.parametrize("purifiers", [12, 30])
def test_a_planted_line_or_constant_is_not_called_a_sigmoid(purifiers):
    for truth in (lambda compression: 0.8 - 0.6 * compression, lambda compression: 0.4 + 0 * compression):
        assert np.mean([one.supports_sigmoid for one in _choices(truth, purifiers)]) <= 0.12


def test_no_sigmoid_is_found_in_six_points():
    choices = _choices(_steep, 6, spread=0.0)
    assert not any(one.supports_sigmoid for one in choices)
    assert all(one.sentence.startswith("6 purifiers do not support a sigmoid: it takes at least 10") for one in choices)


def test_the_lead_said_is_that_of_the_criteria():
    (choice,) = _choices(_steep, 30, replicates=1)
    assert list(choice.criteria) == list(CANDIDATES)
    lead = choice.criteria["line"] - min(choice.criteria.values())
    assert f"over a line by {lead:.1f} units" in choice.sentence
    assert isinstance(choice.fit, SigmoidFit)


def test_the_criteria_are_those_of_the_fit_where_the_dispersion_is_the_same():
    compression, survival = np.linspace(0.1, 0.9, 12), _steep(np.linspace(0.1, 0.9, 12))
    choice, fit = chosen(compression, survival, IMAGES), fit_sigmoid(compression, survival, IMAGES)
    assert choice.dispersion < 1
    found = [choice.criteria[name] for name in ("constant", "line", "sigmoid")]
    np.testing.assert_allclose(found, [fit.aicc_constant, fit.aicc_line, fit.aicc])


def test_a_line_in_the_choice_is_the_line_of_the_points():
    compression = np.linspace(0.1, 0.9, 12)
    choice = chosen(compression, 0.8 - 0.6 * compression, IMAGES)
    assert choice.best == "line"
    np.testing.assert_allclose([choice.fit.intercept, choice.fit.gradient], [0.8, -0.6], rtol=1e-4)


def test_survival_that_never_varies_is_a_constant_and_says_why_no_sigmoid():
    choice = chosen(np.linspace(0.1, 0.9, 12), [0.4] * 12, IMAGES)
    assert choice.best == "constant"
    assert choice.fit.intercept == pytest.approx(0.4)
    assert "none could be fitted (fit_sigmoid needs survival that varies" in choice.sentence
    assert set(choice.refused) == {name for name in CANDIDATES if name.startswith("sigmoid")}


def test_one_compression_for_all_leaves_the_constant():
    choice = chosen([0.5] * 10, np.linspace(0.3, 0.5, 10), IMAGES)
    assert choice.best == "constant"
    assert "line" in choice.refused


def test_a_jump_has_no_slope_and_is_not_called_a_sigmoid_that_was_fitted():
    choice = chosen(np.linspace(0, 1, 12), [1.0] * 6 + [0.0] * 6, IMAGES)
    assert "Add purifiers whose survival lies between 10 and 90 %" in choice.refused["sigmoid"]
    assert not choice.supports_sigmoid


def test_numbers_that_no_purifier_can_have_and_two_purifiers_are_refused():
    with pytest.raises(ValueError, match="survival is nan at"):
        chosen([0.1, 0.2, 0.3], [0.1, np.nan, 0.3], IMAGES)
    with pytest.raises(ValueError, match="at least 3 purifiers"):
        chosen([0.1, 0.2], [0.1, 0.3], IMAGES)
