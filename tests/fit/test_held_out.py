"""Claims about predictions of purifiers that the learner has not seen."""

import numpy as np
import pytest
import xarray as xr
from scipy.special import expit

from purigeom.fit.errors import errors
from purigeom.fit.held_out import coverage, held_out, jackknife_plus, nested_intervals
from purigeom.fit.learners import mean_survival, sigmoid_ends, sigmoid_of


def table_of(compression, survival, **more):
    columns = {"compression": compression, "survival": survival, "count": np.full(len(survival), 100), **more}
    made = {name: ("purifier", np.asarray(values, dtype=float)) for name, values in columns.items()}
    return xr.Dataset(made, coords={"purifier": np.arange(len(survival))})


def drawn(random, purifiers, spread=0.5):
    compression = random.uniform(0, 1, purifiers)
    share = expit(-8 * (compression - 0.5) + random.normal(0, spread, purifiers))
    return table_of(compression, random.binomial(100, share) / 100)


def line(table):
    """Learn the least-squares line through the angles: quick, and wrong enough."""
    angle = np.arcsin(np.sqrt(table["survival"].values))
    gradient, level = np.polyfit(table["compression"].values, angle, 1)
    return lambda new: np.sin(np.clip(level + gradient * new["compression"].values, 0, np.pi / 2)) ** 2


def memory(table):
    """Learn every purifier by heart, and nothing else."""
    known = dict(zip(table["purifier"].values, table["survival"].values, strict=True))
    return lambda new: np.array([known.get(name, 0.5) for name in new["purifier"].values])


def alone(table):
    return np.arange(table.sizes["purifier"])


def test_a_learner_that_memorises_is_exposed():
    table = drawn(np.random.default_rng(0), 20)
    np.testing.assert_array_equal(memory(table)(table), table["survival"])
    np.testing.assert_array_equal(held_out(memory, table, alone(table)), 0.5)
    lower, upper = jackknife_plus(memory, table, alone(table), table)
    assert (upper - lower).mean() > 0.5


def test_no_learner_sees_the_group_it_predicts():
    table, groups = drawn(np.random.default_rng(0), 12), np.repeat([0, 1, 2], 4)
    seen, asked = [], []

    def recorder(known):
        seen.append(set(groups[known["purifier"].values]))

        def predict(new):
            asked.append((seen[-1], set(groups[new["purifier"].values])))
            return np.full(new.sizes["purifier"], 0.5)

        return predict

    held_out(recorder, table, groups)
    assert seen == [{1, 2}, {0, 2}, {0, 1}]
    assert all(not known & new for known, new in asked)
    seen.clear(), asked.clear()
    table = drawn(np.random.default_rng(0), 18)
    groups = np.repeat([0, 1, 2], 6)
    nested_intervals(recorder, table, groups)
    assert sorted(map(sorted, seen)) == [[0], [0], [1], [1], [2], [2]]
    assert all(not known & new for known, new in asked)


def test_leaving_each_purifier_out_is_the_fit_without_it():
    table = drawn(np.random.default_rng(1), 12)
    rest = table.isel(purifier=slice(1, None))
    assert held_out(line, table, alone(table))[0] == pytest.approx(line(rest)(table)[0])


def test_intervals_are_the_ranked_scores_of_the_paper():
    """With nothing to learn, the interval is the ranked residuals about a fixed prediction."""
    survival = np.sin(np.linspace(0.1, 1.5, 19)) ** 2
    table = table_of(np.zeros(19), survival)
    lower, upper = jackknife_plus(
        lambda known: lambda new: np.full(new.sizes["purifier"], 0.5), table, alone(table), table
    )
    residuals = np.sort(np.abs(np.linspace(0.1, 1.5, 19) - np.pi / 4))
    assert upper[0] == pytest.approx(np.sin(np.pi / 4 + residuals[17]) ** 2)
    assert lower[0] == pytest.approx(np.sin(np.pi / 4 - residuals[17]) ** 2)


def test_exchangeable_purifiers_are_covered_as_promised():
    inside, random = [], np.random.default_rng(2)
    for _ in range(150):
        table, new = drawn(random, 20), drawn(random, 5)
        lower, upper = jackknife_plus(line, table, alone(table), new)
        inside.append(coverage(lower, upper, new["survival"].values))
        assert lower.min() >= 0
        assert upper.max() <= 1
    assert 0.85 <= np.mean(inside) <= 0.97


def test_nested_intervals_cover_as_promised():
    random, inside = np.random.default_rng(3), []
    for _ in range(15):
        table = drawn(random, 20)
        inside.append(coverage(*nested_intervals(line, table, alone(table)), table["survival"].values))
    assert 0.85 <= np.mean(inside) <= 0.97


def test_wider_levels_and_more_scatter_widen_intervals():
    quiet, loud = (drawn(np.random.default_rng(4), 30, spread) for spread in (0.1, 1.5))
    widths = [
        np.subtract(*jackknife_plus(line, table, alone(table), table, level)[::-1]).mean()
        for table, level in ((quiet, 0.5), (quiet, 0.9), (loud, 0.9))
    ]
    assert widths == sorted(widths)


def test_groups_left_out_show_what_purifiers_left_out_hide():
    """Purifiers of one group share their luck: only leaving the whole group out shows how far a new one may lie."""
    random, groups = np.random.default_rng(5), np.repeat(np.arange(6), 5)
    luck = np.repeat([-1.5, 1.0, -0.5, 1.5, 0.2, -1.0], 5)
    compression = random.uniform(0, 1, 30)

    def nearest(table):
        known = table["luck"].values, table["survival"].values
        return lambda new: known[1][np.abs(known[0][None] - new["luck"].values[:, None]).argmin(1)]

    table = table_of(compression, expit(luck), luck=luck)
    by_purifier, by_group = (held_out(nearest, table, one) for one in (alone(table), groups))
    assert errors(by_purifier, table, alone(table)).everywhere.mean < 1
    assert errors(by_group, table, groups).everywhere.mean > 5


def test_a_learner_that_cannot_learn_leaves_no_number_and_is_counted():
    def picky(table):
        if table["compression"].values.max() < 0.9:
            msg = "too narrow"
            raise RuntimeError(msg)
        return line(table)

    table = table_of([0.1, 0.3, 0.5, 0.7, 0.95], [0.9, 0.7, 0.5, 0.3, 0.1])
    predicted = held_out(picky, table, alone(table))
    assert np.flatnonzero(np.isnan(predicted)).tolist() == [4]
    found = errors(predicted, table, alone(table))
    assert (found.missing, found.everywhere.purifiers) == (1, 4)
    assert found.sentence.endswith("1 not predicted")


def test_what_could_not_be_learnt_counts_as_an_infinite_miss():
    def never(table):
        msg = "never"
        raise ValueError(msg)

    table = drawn(np.random.default_rng(6), 12)
    lower, upper = jackknife_plus(never, table, alone(table), table)
    assert (lower == 0).all()
    assert (upper == 1).all()


def test_a_mistake_in_a_learner_is_not_hidden():
    table = drawn(np.random.default_rng(6), 12)
    with pytest.raises(KeyError):
        held_out(sigmoid_of("kompression"), table, alone(table))


def test_few_purifiers_and_one_group_are_refused():
    table = drawn(np.random.default_rng(7), 9)
    with pytest.raises(ValueError, match=r"at least 10 purifiers.*got 9\. Use the sigmoid's prediction_interval"):
        jackknife_plus(line, table, alone(table), table)
    with pytest.raises(ValueError, match="at least 2 groups"):
        held_out(line, table, np.zeros(9))
    with pytest.raises(ValueError, match=r"one group per purifier: 9; got shape \(3,\)"):
        held_out(line, table, np.arange(3))
    assert np.isnan(nested_intervals(line, table, alone(table))).all()
    assert np.isnan(coverage(*nested_intervals(line, table, alone(table)), table["survival"].values))


def test_errors_are_mean_absolute_differences_in_points():
    table = table_of([0, 0, 0, 0], [0.05, 0.5, 0.6, 0.95])
    found = errors(np.array([0.05, 0.6, 0.4, 0.95]), table, np.array([0, 0, 1, 1]))
    assert found.everywhere.mean == pytest.approx(7.5)
    assert found.middle.mean == pytest.approx(15)
    assert (found.middle.purifiers, found.groups) == (2, 2)
    assert (found.middle.low, found.middle.high) == pytest.approx((10, 20))
    assert found.sentence == "7.5 (5.0 to 10.0), in the middle 15.0 (10.0 to 20.0)"


def test_errors_of_one_group_have_no_interval():
    table = table_of([0, 0], [0.5, 0.6])
    found = errors(np.array([0.5, 0.5]), table, np.zeros(2)).everywhere
    assert np.isnan([found.low, found.high]).all()
    assert str(found) == "5.0"


def test_learners_predict_the_curve_and_its_interval():
    table = table_of(np.linspace(0.1, 0.9, 12), expit(-8 * (np.linspace(0.1, 0.9, 12) - 0.5)))
    new = table_of([0.5, np.nan], [0.5, 0.5])
    predicted = sigmoid_of("compression")(table)(new)
    low, high = (learn(table)(new) for learn in sigmoid_ends("compression"))
    assert predicted[0] == pytest.approx(0.5, abs=1e-6)
    assert low[0] < 0.5 < high[0]
    assert np.isnan([predicted[1], low[1], high[1]]).all()
    np.testing.assert_allclose(mean_survival(table)(new), table["survival"].mean())
