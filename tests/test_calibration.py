"""Claims about the sigmoid of a store, what it is worth on purifiers it has not seen, and their plot."""

import numpy as np
import pytest
import xarray as xr
from scipy.special import expit

from purigeom import report
from purigeom.calibration import LEFT_OUT, calibrate, calibration_points, held_out_errors, held_out_predictions
from purigeom.plot import calibration as plot
from purigeom.plot.style import save

IMAGES = 60
SAMPLERS = ("DDPM", "DDIM", "ReverseOnly")
DEPTHS = (10, 40, 80, 130, 180)
NETWORKS = {"DDPM": "digits", "DDIM": "digits", "ReverseOnly": "other"}


def made(follows="compression", networks=NETWORKS):
    """Return facts of 15 diffusion purifiers, of none at all and of a blur; survival follows compression or depth."""
    random = np.random.default_rng(0)
    settings = [(name, depth) for name in SAMPLERS for depth in DEPTHS]
    ratio = np.array([1 - 0.004 * depth * (0.6 + 0.4 * SAMPLERS.index(name)) for name, depth in settings] + [1.0, 0.5])
    depth = np.array([depth for _, depth in settings] + [0.0, 0.0])
    at = ratio if follows == "compression" else 1 - depth / 200
    share = expit(-9 * (at - 0.6))
    count = len(share)
    survived = random.random((count, 1, 1, 1, IMAGES)) < share[:, None, None, None, None]
    ratios = ratio[:, None, None, None, None, None] + random.normal(0, 0.01, (count, 1, 1, 1, 2, IMAGES))
    vanished = np.zeros((count, 1, 1, IMAGES))
    vanished[-1] = follows == "vanished"
    return xr.Dataset(
        {
            "compression_ratio": (("purifier", "displacement", "radius", "draw", "probe", "image"), ratios),
            "survived": (("purifier", "attack", "radius", "draw", "image"), survived.astype(float)),
            "gradient_vanished": (("purifier", "attack", "draw", "image"), vanished),
        },
        coords={
            "purifier": [*(f"{name} {depth}" for name, depth in settings), "identity", "blur"],
            "family": ("purifier", ["diffusion"] * len(settings) + ["identity", "gaussian"]),
            "network": ("purifier", [*(networks[name] for name, _ in settings), "", ""]),
            "recipe": ("purifier", [*(f"{name}(depth={depth})" for name, depth in settings), "Identity()", "Blur()"]),
            "depth": ("purifier", [*(float(depth) for _, depth in settings), np.nan, np.nan]),
            "radius": [0.2],
            "attack": ["pgd"],
            "displacement": ["uniform"],
        },
    )


@pytest.fixture(scope="module")
def calibration():
    return calibrate(made())


@pytest.fixture(scope="module")
def held_out(calibration):
    return held_out_errors(calibration)


@pytest.fixture(scope="module")
def predictions(calibration):
    return held_out_predictions(calibration)


def test_the_fit_is_of_the_chosen_families_with_a_gradient(calibration):
    assert calibration.fitted.sizes["purifier"] == 16
    assert "blur" not in calibration.fitted["purifier"]
    assert calibration_points(made(), ("gaussian",))["fitted"].sum() == 1
    assert not calibration_points(made("vanished"), ("gaussian",))["fitted"].any()
    assert calibration.choice.supports_sigmoid
    assert calibration.fit.midpoint == pytest.approx(0.6, abs=0.05)


def test_errors_are_given_in_sample_and_for_everything_left_out(held_out):
    assert list(held_out.errors) == ["in sample", *LEFT_OUT]
    groups = {left: found["constant"].groups for left, found in held_out.errors.items()}
    assert groups == {"in sample": 16, "purifier": 16, "sampler": 4, "network": 3, "family": 2}
    sigmoid = {left: found["sigmoid"] for left, found in held_out.errors.items()}
    assert sigmoid["in sample"].everywhere.mean < sigmoid["purifier"].everywhere.mean < 10
    assert sigmoid["family"].missing == 15
    assert 0 < sigmoid["purifier"].middle.purifiers < 16


def test_what_survival_follows_predicts_it_best(held_out):
    by_depth = held_out_errors(calibrate(made("depth")))
    found = [
        one.errors["sampler"][name].everywhere.mean
        for one in (held_out, by_depth)
        for name in ("sigmoid", "depth alone")
    ]
    assert found[0] < found[1]
    assert found[2] > found[3]
    assert held_out.errors["purifier"]["constant"].everywhere.mean > 2 * found[0]


def test_what_all_share_cannot_be_left_out_and_is_said(calibration, held_out):
    one = made(networks=dict.fromkeys(SAMPLERS, "digits")).sel(purifier=made()["family"] == "diffusion")
    shared = held_out_errors(calibrate(one))
    assert set(shared.errors) == {"in sample", "purifier", "sampler"}
    assert "do not differ in network and family: none could be left out." in shared.sentence
    assert "none could be left out" not in held_out.sentence
    assert "Leaving out one family of 2 in turn: sigmoid" in held_out.sentence
    assert "15 not predicted" in held_out.sentence


def test_depth_is_not_made_up_for_purifiers_that_have_none():
    everyone = held_out_errors(calibrate(made(), ("diffusion", "identity", "gaussian")))
    found = everyone.errors["purifier"]
    assert (found["sigmoid"].missing, found["depth alone"].missing) == (0, 1)


def test_predictions_never_saw_their_purifier_and_have_intervals(predictions):
    table = predictions
    assert table.attrs["left_out"] == "purifier"
    assert ((table["lower"] <= table["predicted"]) & (table["predicted"] <= table["upper"])).mean() > 0.8
    inside = (table["lower"] <= table["survival"]) & (table["survival"] <= table["upper"])
    assert inside.mean() >= 0.75
    results = made()
    moved = results.copy(deep=True)
    moved["survived"][3] = 1 - moved["survived"][3]
    again = held_out_predictions(calibrate(moved))
    name = results["purifier"].values[3]
    assert again["predicted"].sel(purifier=name) == table["predicted"].sel(purifier=name)
    assert again["upper"].sel(purifier=name) == table["upper"].sel(purifier=name)
    assert (again["predicted"] != table["predicted"]).sum() == 15


def test_few_purifiers_get_the_interval_of_the_sigmoid():
    few = made().isel(purifier=[0, 1, 2, 3, 4, 8, 9, 15])
    table = held_out_predictions(calibrate(few))
    known = table.isel(purifier=slice(1, -1))
    assert (known["lower"] < known["upper"]).all()


def test_the_report_says_the_choice_and_every_error(calibration, held_out):
    text = report.fit_sentence(calibration)
    assert calibration.choice.sentence in text
    assert held_out.sentence in text
    assert all(name in text for name in calibration.choice.criteria)


def test_the_plot_shows_every_prediction_at_its_place_in_the_colour_of_its_family(predictions, tmp_path):
    table = predictions
    figure = plot.draw(table)
    (axes,) = figure.axes
    series = {one.get_label(): one for one in axes.containers}
    assert list(series) == ["diffusion", "identity"]
    assert all(one.has_xerr and one.has_yerr for one in series.values())
    across, up = series["diffusion"].lines[0].get_data(orig=False)
    diffusion = table.sel(purifier=table["family"] == "diffusion")
    np.testing.assert_allclose(across, diffusion["predicted"])
    np.testing.assert_allclose(up, diffusion["survival"])
    bars, _ = series["diffusion"].lines[2]
    ends = np.array([segment[:, 0] for segment in bars.get_segments()])
    np.testing.assert_allclose(ends, np.stack([diffusion["lower"], diffusion["upper"]], 1))
    assert series["diffusion"].lines[0].get_color() != series["identity"].lines[0].get_color()
    assert "without the purifier, 90 %" in axes.get_xlabel()
    assert all(path.stat().st_size > 1000 for path in save(figure, tmp_path / "figure"))


def test_the_plot_of_results_leaves_every_purifier_out(predictions):
    places = [plot.draw(one).axes[0].containers[0].lines[0].get_xdata() for one in (made(), predictions)]
    np.testing.assert_array_equal(*places)


def test_the_plot_names_what_is_missing(predictions):
    with pytest.raises(ValueError, match=r"A calibration plot needs \['upper'\]"):
        plot.draw(predictions.drop_vars("upper"))


def test_binomial_bars_are_those_of_statsmodels():
    statsmodels = pytest.importorskip("statsmodels.stats.proportion")
    seen = np.array([0, 3, 50, 100])
    expected = statsmodels.proportion_confint(seen, 100, method="wilson")
    np.testing.assert_allclose(plot.wilson_interval(seen / 100, np.full(4, 100)), expected, atol=1e-4)
