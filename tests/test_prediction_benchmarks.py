"""Every figure of predictions is a valid line, made from a table that is known."""

import json

import pytest

from benchmarks import prediction, prediction_costs
from benchmarks.figure import at_most, print_line
from figures import prediction as prediction_figure
from purigeom.catalog import DIGITS_UNET
from purigeom.purifiers.diffusion.ddpm import DDPM
from tests.prediction.tables import made

FROM_TABLES = [name for name in prediction.FIGURES if name.startswith(("settings", "families", "mae", "coverage"))]


@pytest.fixture(autouse=True)
def small(monkeypatch):
    tables = {radius: made(seed=place) for place, radius in enumerate(prediction.RADII)}
    monkeypatch.setattr(prediction, "table", tables.__getitem__)
    monkeypatch.setattr(prediction_costs, "PURIFIER", DDPM(DIGITS_UNET, depth=10, steps=2))
    prediction.tried.cache_clear()
    yield
    prediction.tried.cache_clear()


def line(figure, capsys):
    print_line(figure)
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("name", [name for name in FROM_TABLES if "geometry" not in name])
def test_a_figure_of_a_table_is_a_line_with_its_own_name(name, capsys) -> None:
    found = line(prediction.FIGURES[name](), capsys)
    assert found["figure"] == name
    assert found["how"]


def test_predictors_are_tried_on_both_radii_and_beside_yardsticks() -> None:
    for name in ("mae_leave_family_out.margin-spread", "mae_leave_family_out.margin-spread@0.2", "coverage90.geometry"):
        assert name in prediction.FIGURES
    assert "mae_in_sample.constant" in prediction.FIGURES


def test_seconds_name_what_was_measured(capsys) -> None:
    found = line(prediction_costs.seconds("margin spread", 0.1, images=2), capsys)
    assert found["figure"] == "seconds.margin-spread"
    assert "margins" in found["how"]
    assert "compression" not in found["how"]


def test_evaluations_add_up_to_what_an_attack_of_so_many_steps_asks(capsys) -> None:
    attack = prediction_costs.Adversary(prediction_costs.PGD())
    counted = line(prediction_costs.attack_evaluations(attack, 4), capsys)
    assert counted["value"] == 2 * (2 * 4 + 1), "forward and recomputed, and the last look, of two steps each"
    assert line(prediction_costs.prediction_evaluations(0.1), capsys)["value"] == 2 * prediction_costs.purifications(
        (0.1,)
    )


def test_an_unknown_figure_is_named() -> None:
    with pytest.raises(KeyError, match="There is no figure 'luck'"):
        prediction.main(["luck"])


def test_what_is_unknown_is_no_number_in_json(capsys) -> None:
    found = line(at_most("nothing", float("nan"), 5, "unknown"), capsys)
    assert (found["value"], found["holds"]) == (None, None)


def test_the_figure_of_predictions_is_drawn_from_a_calibration(tmp_path) -> None:
    prediction_figure.main("digits-linf-0.2", str(tmp_path / "prediction"))
    assert {path.suffix for path in tmp_path.iterdir()} == {".png", ".pdf"}
