"""The zoo's study and its tables, with few images, purifiers and steps."""

import json

import numpy as np
import pytest
import torch

from analyses import recalibration
from analyses import zoo as study
from benchmarks import zoo as benchmark
from figures import zoo as tables
from purigeom import predict, store
from purigeom.catalog import PURIFIERS
from purigeom.executors import in_process
from purigeom.judging import looking
from purigeom.plot.zoo import draw, facts
from purigeom.prediction.files import NEEDED, load, shipped
from purigeom.prediction.strangers import covered, joined, met, missed
from purigeom.prediction.table import tabulated
from purigeom.purifiers.wrapped import wrap
from purigeom.sweep import run

FEW = ("median", "wavelet", "digits-quilting", "digits-anti-adversary")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(predict, "STEPS", 2)
        patched.setattr(study, "EFFORT", predict.Effort(patience=2))
        asked = study.tasks({name: PURIFIERS[name] for name in FEW}, study.IMAGES[:4])
        return run(asked, tmp_path_factory.mktemp("zoo") / "store", in_process, quiet=True)


def test_every_purifier_has_a_row_and_every_new_kind_a_prediction(root, tmp_path, capsys) -> None:
    written = tables.main(root, tmp_path)
    assert {path.stem for path in written if path.suffix == ".md"} == {
        f"{kind}_{radius}"
        for kind in ("zoo", "overstated", "companions", "yardsticks", "strangers", "strangers_by_family")
        for radius in (0.1, 0.2)
    }
    printed = capsys.readouterr().out
    for path in written:
        if path.suffix == ".md":
            assert path.read_text().strip() in printed
    rows = (tmp_path / "zoo_0.1.md").read_text().splitlines()[4:]
    assert [row.split(" | ")[0].strip("| ") for row in rows] == list(FEW)
    assert all(float(row.split(" | ")[-1].strip("| ")) > 0 for row in rows), "seconds per image"
    strangers = (tmp_path / "strangers_0.1.md").read_text()
    assert "| wavelet |" in strangers
    assert "| median |" not in strangers, "the calibration knows median filters"


def test_the_figure_joins_what_blind_attacks_left_to_what_all_left(root) -> None:
    results = store.load(root).load()
    panels = draw(results).axes
    assert [axes.get_title() for axes in panels] == ["linf 0.1", "linf 0.2"]
    for axes, radius in zip(panels, study.RADII, strict=True):
        joins = [line for line in axes.lines if len(line.get_xdata()) == 2]
        told = facts(results, radius)
        assert len(joins) == len(FEW)
        np.testing.assert_allclose([line.get_ydata() for line in joins], np.c_[told["blind"], told["adaptive"]])
        np.testing.assert_allclose([line.get_xdata()[0] for line in joins], told["compression"])
        assert (told["adaptive"] <= told["blind"]).all(), "all attacks are no weaker than the blind one among them"


def test_results_without_a_blind_attack_are_named(root) -> None:
    results = store.load(root).load()
    seeing = results.sel(attack=[label for label in results["attack"].values if "unaware" not in label])
    with pytest.raises(ValueError, match="One attack that is unaware of the purifier is needed; these results hold"):
        draw(seeing)


def test_misses_and_coverage_are_those_of_the_predictions(root) -> None:
    calibration = load(shipped()["digits-linf-0.2"])
    found = met(tabulated(store.load(root).load(), 0.2), calibration)
    assert list(found["purifier"].values) == ["wavelet", "digits-quilting", "digits-anti-adversary"]
    promised = found.assign(predicted=found["survival"] * 0 + 0.75, survival=found["survival"] * 0 + 0.5)
    np.testing.assert_allclose(missed(promised), [25, 25, 25])
    sure = found.assign(lower=found["survival"], upper=found["survival"])
    assert covered(sure).all()
    assert not covered(sure.assign(lower=sure["lower"] + 0.01)).any()


def test_a_recalibration_holds_the_older_purifiers_as_they_were_and_the_strangers_beside_them(
    root, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr("purigeom.foresight.PREDICTORS", ("constant",))  # of others it only says how good they are
    monkeypatch.setattr(recalibration, "SAID", ("constant",))
    recalibration.main(root, tmp_path)
    older, table = load(shipped()["digits-linf-0.2"]), load(tmp_path / "digits-zoo-linf-0.2.npz")
    strangers = ["wavelet", "digits-quilting", "digits-anti-adversary"]
    assert list(table["purifier"].values) == [*older["purifier"].values, *strangers]
    assert table.sizes["sample"] == 4
    measured = tabulated(looking(store.load(root).load()), 0.2).sel(purifier=strangers)
    for name in NEEDED:
        if "sample" in older[name].dims:
            np.testing.assert_array_equal(table[name][: older.sizes["purifier"]], older[name][:, :4])
            np.testing.assert_array_equal(table[name][-3:], measured[name].astype("float32"))
    np.testing.assert_allclose(table["survival"], table["survived"].mean("sample"))
    assert table.attrs["images"] == repr(study.IMAGES)


def test_a_calibration_cannot_be_joined_to_more_images_than_it_knows(root) -> None:
    older = load(shipped()["digits-linf-0.2"])
    with pytest.raises(ValueError, match="A calibration of 2 samples cannot be joined to 4"):
        joined(older.isel(sample=slice(2)), tabulated(store.load(root).load(), 0.2))


def test_without_strangers_that_is_said(root) -> None:
    calibration = load(shipped()["digits-linf-0.2"])
    table = tabulated(store.load(root).load(), 0.2).sel(purifier=["median"])
    with pytest.raises(ValueError, match="There are no strangers: the calibration knows every kind"):
        met(table, calibration)


def test_who_has_no_slope_is_attacked_by_the_classifier_s_and_asked_no_spectrum() -> None:
    asked = {(task.purifier_name, task.measurement.label) for task in study.tasks()}
    for name, purifier in study.ON_DIGITS.items():
        labels = [label for who, label in asked if who == name and label.startswith("survival")]
        flat = purifier.declaration.differentiability == "piecewise constant"
        assert ((name, "spectrum") in asked) is not flat
        assert any("bpda" in label for label in labels) or not flat
        assert any("unaware" in label for label in labels)
        assert len(labels) > 2


def test_the_benchmark_prints_a_line_for_every_purifier_and_names_a_broken_contract(capsys) -> None:
    broken = wrap(lambda images: images + torch.rand(()), name="broken")
    benchmark.main(
        [], {"median": PURIFIERS["median"], "digits-one-shot": PURIFIERS["digits-one-shot"], "broken": broken}
    )
    lines = {line["figure"]: line for line in map(json.loads, capsys.readouterr().out.splitlines())}
    assert list(lines) == ["purifier.median", "purifier.digits-one-shot", "purifier.broken"]
    assert lines["purifier.digits-one-shot"]["network_evaluations_per_image"] == 1
    assert lines["purifier.median"]["holds"]
    assert not lines["purifier.broken"]["holds"]
    assert "hides randomness" in lines["purifier.broken"]["how"]
    assert 0 < lines["purifier.median"]["value"] < 1
    with pytest.raises(KeyError, match="There is no purifier 'nobody' for digits"):
        benchmark.main(["nobody"])
