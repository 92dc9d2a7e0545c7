"""Claims about protocols: what each makes of the same verdicts."""

import numpy as np
import pytest
import xarray as xr

from purigeom import report, store
from purigeom.attacks.pgd import PGD
from purigeom.catalog import BASELINES, CLASSIFIERS
from purigeom.images import Digits
from purigeom.judging import judged, unbroken
from purigeom.measurements.survival import Survival
from purigeom.sweep import Task, run

DIMS = ("attack", "radius", "judgement", "draw", "image")
FRESH = xr.DataArray(np.array([[1, 1, 0], [1, 0, 0], [1, 1, 0]], bool).reshape(1, 1, 3, 1, 3), dims=DIMS)
RESULTS = xr.Dataset(
    {
        "survived": FRESH.isel(judgement=1),
        "survived_fresh": FRESH,
        "survived_vote": FRESH.isel(judgement=0),
        "gradient_broken": xr.zeros_like(FRESH.isel(judgement=0)),
    }
)


def test_every_protocol_makes_its_own_number_of_the_same_verdicts() -> None:
    found = {name: verdict.values.flatten().round(3).tolist() for name, verdict in judged(RESULTS).items()}
    assert found == {
        "pinned configuration": [1, 0, 0],
        "mean of 3 fresh": [1, 0.667, 0],
        "worst of 3 fresh": [1, 0, 0],
        "vote of 3 fresh": [1, 1, 0],
    }


def test_an_image_that_survived_a_broken_gradient_has_no_verdict_and_one_that_did_not_has_lost() -> None:
    broken = RESULTS.assign(gradient_broken=xr.ones_like(RESULTS["survived"]))
    found = {name: verdict.values.flatten().tolist() for name, verdict in judged(broken).items()}
    np.testing.assert_array_equal(found["pinned configuration"], [np.nan, 0, 0])
    np.testing.assert_array_equal(found["vote of 3 fresh"], [np.nan, np.nan, 0])
    assert (
        unbroken(RESULTS[["survived"]].drop_vars("gradient_broken", errors="ignore"), RESULTS)["survived"].dtype
        == float
    )


def test_without_verdicts_there_is_nothing_to_judge() -> None:
    with pytest.raises(KeyError, match="A judgement needs"):
        judged(RESULTS.drop_vars("survived_vote"))


def test_a_row_of_the_report_says_who_attacked_and_how_it_was_judged(tmp_path) -> None:
    questions = [Survival(CLASSIFIERS["digits"], (0.1, 0.2), attack, judgements=2) for attack in (PGD(2), PGD(3, "l2"))]
    tasks = [
        Task(name, BASELINES[name], question, Digits()[:3]) for name in ("identity", "median") for question in questions
    ]
    page = report.attacks(store.load(run(tasks, tmp_path, quiet=True)))
    assert page.count("<tr>") == 1 + 2 * 2 * 2
    for said in ("PGD-2 linf, fixed, exact", "PGD-3 l2, fixed, exact", "worst of 2 fresh", "gradients per image"):
        assert said in page


def test_attacks_judged_by_fewer_draws_are_not_set_beside_those_of_many() -> None:
    few = FRESH.where(xr.DataArray([True, False, False], dims="judgement"))
    mixed = xr.concat([RESULTS.assign(survived_fresh=few), RESULTS], "attack").assign_coords(attack=["few", "many"])
    with pytest.raises(ValueError, match="different numbers of fresh configurations, up to 3"):
        judged(mixed)
    assert judged(mixed.sel(attack=["many"]))["worst of 3 fresh"].notnull().all()


def test_a_table_of_purifiers_has_no_survival_without_its_attacker() -> None:
    results = RESULTS.expand_dims(purifier=["mine"]).assign_coords(attack=["one"], radius=[0.1])
    page = report.table(results.assign(ssim=("image", [0.1, 0.2, 0.3])).assign(classified=results["survived"]))
    assert "surviv" not in page
