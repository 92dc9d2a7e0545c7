"""The tutorials run, cell by cell, and what they say is so."""

import re

import numpy as np
import pytest
from matplotlib.figure import Figure

from purigeom.means import estimate
from tests.tutorials import FOLDER, cells, executed

NAMES = ("explore_a_store", "predict_my_purifier", "another_figure")
NUMBER = re.compile(r"\d+(?:\.\d+)?")
WORD = re.compile(r"\b(two|three|four|five|six|seven|eight|nine|ten|twice|half|dozen)\b", re.IGNORECASE)
CITED = {"2505.22839", "3"}
"""The paper and its figure."""


@pytest.fixture(scope="module")
def explored(tmp_path_factory):
    return executed("explore_a_store", tmp_path_factory.mktemp("explored"))


@pytest.fixture(scope="module")
def foretold(tmp_path_factory):
    return executed("predict_my_purifier", tmp_path_factory.mktemp("foretold"))


@pytest.fixture(scope="module")
def redrawn(tmp_path_factory):
    return executed("another_figure", tmp_path_factory.mktemp("redrawn"))


@pytest.mark.parametrize("name", NAMES)
def test_a_tutorial_is_short_and_says_something_before_every_cell(name) -> None:
    assert len((FOLDER / f"{name}.py").read_text().splitlines()) < 120
    kinds = [kind for kind, _, _ in cells(name)]
    assert kinds == ["[markdown]", ""] * (len(kinds) // 2)


@pytest.mark.parametrize("name", NAMES)
def test_every_number_in_the_prose_is_one_of_the_code(name) -> None:
    """A number that came out of a run would be unsupported on the next machine."""
    prose = " ".join(text for kind, _, text in cells(name) if kind)
    code = " ".join(text for kind, _, text in cells(name) if not kind)
    assert set(NUMBER.findall(prose)) <= CITED | set(NUMBER.findall(code))
    words = {"two", "three", "twice"} if name == "another_figure" else set()
    assert {word.lower() for word in WORD.findall(prose)} == words, "numbers in words need a test of their own"


def test_a_store_holds_every_fact_under_its_name(explored) -> None:
    results = explored["results"]
    assert list(results.purifier.values) == list(explored["PURIFIERS"])
    assert {"family", "network", "depth"} <= set(results.coords)
    assert results.compression_ratio.sizes["image"] == 8
    assert any("xarray" in value._repr_html_() for value in explored.shown if value is results)


def test_a_fact_is_one_number_of_an_image_known_by_its_place_in_the_data_set(explored) -> None:
    fact = next(value for value in explored.shown if getattr(value, "name", "") == "compression_ratio")
    assert fact.size == 1
    assert explored["results"].image.values.tolist() == list(explored["Digits"]()[:8].load().image_ids)
    assert fact["image"].item() != 0, "the first of the slice"


def test_means_come_with_how_sure_they_are_and_settings_stay(explored) -> None:
    assert (explored["compression"]["standard_error"].drop_sel(purifier="identity") > 0).all()
    assert explored["means"].singular_value.dims == ("purifier", "mode")
    assert "singular_value_standard_error" in explored["means"]


def test_all_but_the_identity_compress_and_deeper_ones_more(explored) -> None:
    mean = explored["compression"]["mean"]
    np.testing.assert_allclose(mean.sel(purifier="identity"), 1, rtol=1e-5)
    falls = mean.sel(purifier=["identity", "ddpm 20", "ddpm 80", "ddpm 160"]).diff("purifier")
    assert (falls < 0).all()
    assert len(explored["lines"]) == len(explored["PURIFIERS"])


def test_the_package_s_figure_can_be_changed_and_its_recipe_printed(explored) -> None:
    assert isinstance(explored["figure"], Figure)
    assert any(value is explored["figure"] for value in explored.shown)
    assert explored["caption"](explored["results"], ["spectrum"]).count("Spectrum(") == 1


def test_versions_device_and_seconds_are_kept(explored) -> None:
    assert {"device", "seconds"} <= set(explored["made"][0])


def test_one_purifier_more_costs_its_own_units_only(explored) -> None:
    assert explored.shown[-1] == len(explored["QUESTIONS"])


def test_a_prediction_is_shown_as_a_table_with_its_interval(foretold) -> None:
    answer = foretold["answer"]
    low, high = answer.interval
    assert low <= answer.survival <= high
    assert any(value is answer for value in foretold.shown)
    assert "<table>" in answer._repr_html_()


def test_a_family_of_its_own_is_an_extrapolation(foretold) -> None:
    assert any("the family 'noisy blur' is new" in one for one in foretold["answer"].warnings)


def test_the_calibration_is_what_the_tutorial_says_it_is(foretold) -> None:
    calibration = foretold["calibration"]
    assert calibration.attrs["radius"] == 0.1
    assert calibration.attrs["classifier"] == repr(foretold["classifier"])


def test_images_are_added_until_narrow_enough_or_there_are_no_more_which_is_said(foretold) -> None:
    answer = foretold["narrower"]
    low, high = answer.interval
    told = any("images are used" in one for one in answer.warnings)
    assert ((high - low) / 2 <= 0.02) != told
    assert not told or answer.table["count"].item() == 64


def test_what_is_measured_at_last_is_the_worst_of_the_attacks(foretold) -> None:
    each = [float(one.mean()) for one in foretold["withstood"]]
    assert len(each) > 1
    assert 0 <= foretold["measured"] <= min(each)


def points(results, kind):
    return results.compression_ratio.sel(displacement=kind)


def test_three_questions_make_the_figure_and_it_again_with_two_other_choices(redrawn) -> None:
    assert len(redrawn["QUESTIONS"]) == 3
    assert sum(isinstance(value, Figure) for value in redrawn.shown) == 3


def test_corners_move_points_sideways_only(redrawn) -> None:
    results, corners = redrawn["results"], redrawn["corners"]
    assert corners["survived"].equals(results["survived"])
    uniform, other = (estimate(points(results, kind))["mean"] for kind in ("uniform linf ball", "linf corners"))
    assert abs(uniform - other).drop_sel(purifier="identity").max() > 0.005


def test_fresh_judges_move_points_upwards_and_nothing_is_attacked_anew(redrawn) -> None:
    results, fresh = redrawn["results"], redrawn["fresh"]
    up = estimate(fresh["survived"])["mean"] - estimate(results["survived"].astype(float))["mean"]
    assert up.max() > 0.05
    assert up.min() > -0.05
    assert fresh["compression_ratio"].equals(results["compression_ratio"])
    assert fresh["purifications"].equals(results["purifications"])


def test_twice_the_steps_leave_as_many_images_but_for_one(redrawn) -> None:
    assert redrawn["longer"].attack.steps == 2 * redrawn["ATTACK"].steps
    assert 0 < redrawn["once"] < 1
    assert abs(redrawn["once"] - redrawn["twice"]) * len(redrawn["IMAGES"]) < 1.5


def test_so_few_points_draw_a_curve_that_they_do_not_support(redrawn) -> None:
    assert not redrawn["supported"].supports_sigmoid
    assert "do not support a sigmoid" in redrawn.shown[-1]


def test_the_caption_tells_the_choices(redrawn) -> None:
    told = redrawn["caption"](redrawn["results"], redrawn["ASKED"])
    for choice in ("UniformBall()", "Corners()", "steps=10", "judgements=4"):
        assert choice in told


def test_every_tutorial_becomes_a_notebook_of_the_same_cells(tmp_path) -> None:
    jupytext = pytest.importorskip("jupytext", reason="jupytext is absent: pip install 'purigeom[tutorials]'")
    for name in NAMES:
        jupytext.write(jupytext.read(FOLDER / f"{name}.py"), tmp_path / f"{name}.ipynb")
        notebook = jupytext.read(tmp_path / f"{name}.ipynb")
        kinds = [kind.strip("[]") or "code" for kind, _, _ in cells(name)]
        assert [cell.cell_type for cell in notebook.cells] == kinds
        assert "%matplotlib inline" in notebook.cells[1].source.splitlines(), "no longer a comment"
        assert not any(line.startswith("# %%") for cell in notebook.cells for line in cell.source.splitlines())
