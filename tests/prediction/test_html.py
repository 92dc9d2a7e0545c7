"""What a notebook shows of a prediction."""

from xml.etree.ElementTree import fromstring

import numpy as np
import pytest
import xarray as xr

from purigeom.prediction.answer import Prediction

PREDICTIONS = xr.Dataset(
    {
        "survival": ("predictor", [0.25, 0.5, 1.0]),
        "lower": ("predictor", [0.125, 0.4, 0.9]),
        "upper": ("predictor", [0.375, 0.61, 1.0]),
    },
    coords={"predictor": ["margin spread", "compression", "geometry"]},
)
TABLE = xr.Dataset({"count": ("purifier", [32])}, attrs={"radius": 0.1})


def answer(best="margin spread", warnings=(), predictions=PREDICTIONS):
    return Prediction(predictions, best, warnings, TABLE, 98, 12.0, 3.2)


def shown(one):
    """Return the markup as a tree; it closes every tag that it opens."""
    return fromstring(one._repr_html_())


def rows(one):
    return [["".join(cell.itertext()) for cell in row] for row in shown(one).iter("tr")]


def test_every_predictor_has_a_row_with_its_interval_in_their_order() -> None:
    assert rows(answer()) == [
        ["predictor", "robust accuracy", "90 % interval"],
        ["margin spread", "25.0%", "12.5% to 37.5%"],
        ["compression", "50.0%", "40.0% to 61.0%"],
        ["geometry", "100.0%", "90.0% to 100.0%"],
    ]


@pytest.mark.parametrize("best", ["margin spread", "compression"])
def test_the_best_predictor_alone_is_bold(best) -> None:
    bold = ["".join(one.itertext()) for one in shown(answer(best)).iter("b")]
    assert bold == next(row for row in rows(answer()) if row[0] == best)


def test_warnings_stand_below_the_table_and_nothing_does_without_any() -> None:
    tree = shown(answer(warnings=("Extrapolation: one.", "Extrapolation: two.")))
    assert [item.text for item in tree.iter("li")] == ["Extrapolation: one.", "Extrapolation: two."]
    assert [part.tag for part in tree][-2:] == ["table", "ul"]
    assert [part.tag for part in shown(answer())][-1] == "table"


def test_a_name_that_looks_like_markup_stays_text() -> None:
    tree = shown(answer(warnings=("the family '<b>a & b</b>' is new",)))
    assert next(tree.iter("li")).text == "the family '<b>a & b</b>' is new"


def test_the_notebook_is_told_all_that_is_printed() -> None:
    one = answer(warnings=("Extrapolation: one.",))
    told = " ".join(shown(one).itertext())
    for sentence in str(one).splitlines()[:2] + list(one.warnings):
        assert sentence in told


def test_nothing_is_fetched_from_elsewhere() -> None:
    markup = answer()._repr_html_()
    assert not any(word in markup for word in ("http", "src=", "href=", "<script", "<link"))


def test_a_predictor_that_cannot_say_is_called_unknown() -> None:
    unsure = PREDICTIONS.assign(lower=("predictor", [0.125, np.nan, 0.9]))
    assert rows(answer(predictions=unsure))[2] == ["compression", "50.0%", "unknown to 61.0%"]
