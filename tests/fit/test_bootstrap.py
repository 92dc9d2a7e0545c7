"""Claims about sigmoids of purifiers and images drawn anew."""

import numpy as np
import pytest
from scipy.special import expit, logit

from purigeom.fit import Resampling, bands, fit_sigmoid
from purigeom.fit.bootstrap import _weighted_mean

QUICK = Resampling(replicates=60, ceiling=1.0)
AT = [0.3, 0.5, 0.7]


def _facts(purifiers=15, images=80, seed=0, spread=0.0, hardness=0.0):
    """Return compression and survival per image; images differ in how hard they are, purifiers in their luck."""
    random = np.random.default_rng(seed)
    compression = np.linspace(0.1, 0.9, purifiers)[:, None] + random.normal(0, 0.02, (purifiers, images))
    luck = random.normal(0, spread, (purifiers, 1)) + random.normal(0, hardness, (1, images))
    share = expit(-8 * (np.linspace(0.1, 0.9, purifiers)[:, None] - 0.5) + luck)
    return compression, (random.random((purifiers, images)) < share).astype(float)


def test_bands_hold_the_fit_and_are_the_same_again():
    compression, survived = _facts()
    fit = fit_sigmoid(compression.mean(1), survived.mean(1), 80)
    once, again = bands(compression, survived, AT, QUICK), bands(compression, survived, AT, QUICK)
    other = bands(compression, survived, AT, Resampling(60, seed=1, ceiling=1.0))
    for name in ("midpoint", "slope"):
        low, high = once.parameters[name]
        assert low < getattr(fit, name) < high
    assert (once.low < once.high).all()
    np.testing.assert_array_equal(once.fits, again.fits)
    assert not np.array_equal(once.fits, other.fits)
    assert once.parameters["ceiling"] == (1.0, 1.0)


def test_what_images_have_in_common_widens_the_bands():
    """Hard images are hard for every purifier: resampling purifiers alone would not see it."""
    widths = []
    for hardness in (0.0, 3.0):
        compression, survived = _facts(purifiers=40, images=30, hardness=hardness)
        found = bands(compression, survived, AT, QUICK)
        shuffled = bands(compression, np.random.default_rng(5).permuted(survived, axis=1), AT, QUICK)
        widths.append(((found.high - found.low) / (shuffled.high - shuffled.low)).mean())
    assert widths[0] < 1.3
    assert widths[1] > 1.5


def test_scatter_between_purifiers_widens_the_bands():
    widths = [np.mean(np.subtract(*bands(*_facts(spread=one), AT, QUICK).parameters["midpoint"])) for one in (0, 1)]
    assert widths[1] / widths[0] > 1.5


def test_the_true_midpoint_lies_in_its_band_about_as_often_as_promised():
    inside = []
    for seed in range(40):
        low, high = bands(*_facts(seed=seed, spread=0.5, hardness=0.5), AT, QUICK).parameters["midpoint"]
        inside.append(low <= 0.5 <= high)
    assert np.mean(inside) >= 0.75


def test_facts_that_are_not_known_are_left_out():
    compression, survived = _facts()
    wide = [np.hstack([one, np.full_like(one, np.nan)]) for one in (compression, survived)]
    mean, count = _weighted_mean(wide[1], np.ones(160))
    np.testing.assert_allclose(mean, survived.mean(1))
    np.testing.assert_array_equal(count, 80)
    unknown = survived.copy()
    unknown[3] = np.nan
    kept = np.arange(15) != 3
    found, fewer = bands(compression, unknown, AT, QUICK), bands(compression[kept], survived[kept], AT, QUICK)
    np.testing.assert_allclose(found.parameters["midpoint"], fewer.parameters["midpoint"], atol=0.03)


def test_replicates_without_a_fit_are_counted_and_said():
    compression = np.repeat(np.linspace(0.1, 0.9, 5)[:, None], 30, 1)
    survived = (np.random.default_rng(0).random((5, 30)) < [[1.0], [0.97], [0.5], [0.03], [0.0]]).astype(float)
    found = bands(compression, survived, AT, QUICK)
    assert 0 < found.failed < 60
    assert len(found.fits) == 60 - found.failed
    assert f"{found.failed} of 60 resamples" in found.sentence


def test_facts_without_any_fit_and_facts_of_another_shape_are_refused():
    with pytest.raises(RuntimeError, match="None of 60 resamples"):
        bands(np.full((6, 10), 0.5), np.ones((6, 10)), AT, QUICK)
    with pytest.raises(ValueError, match=r"got shapes \(6, 10\) and \(6,\)"):
        bands(np.full((6, 10), 0.5), np.ones(6), AT, QUICK)
    with pytest.raises(ValueError, match="level=90"):
        Resampling(level=90)


def test_more_images_of_the_same_purifiers_change_the_curve_less():
    few, many = (bands(*_facts(images=images), AT, QUICK) for images in (20, 500))
    assert (logit(many.high) - logit(many.low)).mean() < (logit(few.high) - logit(few.low)).mean()
