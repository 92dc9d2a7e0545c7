"""From a purifier to its predicted robustness, and what is said where the calibration ends."""

import numpy as np
import pytest
import torch
import xarray as xr

from purigeom.attacks.pgd import PGD
from purigeom.catalog import BASELINES, CLASSIFIERS, PURIFIERS
from purigeom.images import Digits
from purigeom.measurements.survival import Survival
from purigeom.predict import forward_questions, predict, purifications, study
from purigeom.prediction.answer import AMONG_KIN, predicted
from purigeom.prediction.compared import BELIEVED
from purigeom.prediction.files import load, save, shipped
from purigeom.prediction.kin import kin
from purigeom.prediction.regression import geometry_regression
from purigeom.prediction.table import tabulated
from purigeom.prediction.trust import disagreement, extrapolations
from purigeom.purifiers.gaussian import GaussianBlur
from purigeom.purifiers.wrapped import wrap
from purigeom.sweep import measure
from tests.prediction.tables import made

DIGITS = CLASSIFIERS["digits"]
TABLE = made()


def row(purifier, count=4, radii=(0.1,)):
    facts = measure(purifier, Digits()[:count], forward_questions(DIGITS, radii))
    return tabulated(facts.expand_dims(purifier=["it"]).assign_coords(family=("purifier", ["blur"])), 0.1)


def test_no_gradient_passes_through_the_purifier_and_every_passage_is_counted() -> None:
    passed = []

    def watched(images):
        assert not images.requires_grad
        passed.append(len(images))
        return images

    answer = predict(wrap(watched, name="blur"), Digits()[:3], DIGITS, TABLE)
    contract = sum(passed) - 3 * answer.purifications
    passed.clear()
    measured = measure(wrap(watched, name="blur"), Digits()[:3], ())
    assert not measured
    assert contract == sum(passed), "what is not counted is the check of the contract"
    assert answer.purifications == purifications((0.1,))


def test_an_image_counts_its_draws_as_samples_of_their_own() -> None:
    table = row(BASELINES["gaussian-blur"])
    assert table.sizes == {"purifier": 1, "sample": 4}
    assert table.attrs["radius"] == 0.1
    assert table["compression"].item() < 1


def test_facts_that_are_missing_and_radii_that_were_not_measured_are_named() -> None:
    facts = measure(BASELINES["identity"], Digits()[:2], forward_questions(DIGITS, (0.1,))).expand_dims(purifier=["it"])
    with pytest.raises(KeyError, match=r"A prediction needs \['cloud_rank'\]"):
        tabulated(facts.drop_vars("cloud_rank"), 0.1)
    with pytest.raises(ValueError, match=r"measured at the radii \[0\.1\]; got 0\.3"):
        tabulated(facts, 0.3)


def test_a_prediction_lies_in_its_interval_and_says_who_made_it() -> None:
    answer = predict(GaussianBlur(0.7), Digits()[:8], DIGITS, TABLE)
    low, high = answer.interval
    assert 0 <= low <= answer.survival <= high <= 1
    said = str(answer)
    for words in (answer.best, "8 images", "no gradient through the purifier", "90 % interval"):
        assert words in said


def test_fewer_images_make_wider_intervals() -> None:
    few, many = (TABLE.isel(purifier=[9]).assign(count=("purifier", [count])) for count in (10, 200))
    narrow, wide = predicted(TABLE, many), predicted(TABLE, few)
    assert ((wide["upper"] - wide["lower"]) > (narrow["upper"] - narrow["lower"])).all()


def test_images_are_added_until_the_interval_is_narrow_enough() -> None:
    lax = predict(GaussianBlur(0.7), Digits()[:96], DIGITS, TABLE, half_width=0.6)
    assert int(lax.table["count"].item()) == 32
    strict = predict(GaussianBlur(0.7), Digits()[:64], DIGITS, TABLE, half_width=0.001)
    assert int(strict.table["count"].item()) == 64
    assert any("all 64 images are used" in one for one in strict.warnings)


def test_what_the_calibration_has_never_seen_is_called_extrapolation() -> None:
    inside = TABLE.isel(purifier=[9])
    assert extrapolations(TABLE, inside) == ()
    stranger = inside.assign_coords(family=("purifier", ["anti-adversary"]))
    assert "the family 'anti-adversary' is new" in extrapolations(TABLE, stranger)[0]
    beyond = inside.assign(compression=("purifier", [40.0]))
    assert "the compression ratio is 40" in extrapolations(TABLE, beyond)[0]


def test_a_calibration_that_lacks_what_predictors_read_is_refused(tmp_path) -> None:
    save(TABLE.drop_vars("moved_reach"), tmp_path / "old.npz")
    with pytest.raises(ValueError, match=r"old\.npz lacks \['moved_reach'\]"):
        load(tmp_path / "old.npz")


def test_a_calibration_survives_its_file(tmp_path) -> None:
    save(TABLE, tmp_path / "made.npz")
    again = load(tmp_path / "made.npz")
    assert again.attrs == TABLE.attrs
    assert set(again.variables) == set(TABLE.variables)
    np.testing.assert_allclose(again["survival"], TABLE["survival"])
    assert again["purifier"].values.tolist() == TABLE["purifier"].values.tolist()


def test_a_file_that_is_none_is_refused(tmp_path) -> None:
    np.savez(tmp_path / "other.npz", images=np.zeros(3))
    with pytest.raises(ValueError, match=r"other\.npz is no calibration"):
        load(tmp_path / "other.npz")


def test_a_study_attacks_each_purifier_with_the_gradients_and_the_patience_it_allows() -> None:
    purifiers = {name: BASELINES[name] for name in ("bit-depth", "identity")} | {"ddpm": PURIFIERS["digits-ddpm"]}
    labels = [(task.purifier_name, task.measurement.label) for task in study(purifiers, Digits()[:2], DIGITS, (0.1,))]
    attacks = {name: {label for who, label in labels if who == name and "survival" in label} for name in purifiers}
    assert {label.rpartition("-")[2] for label in attacks["bit-depth"]} == {"bpda"}
    assert {label.rpartition("-")[2] for label in attacks["identity"]} == {"bpda", "exact"}
    assert {label.rpartition("-")[2] for label in attacks["ddpm"]} == {"exact"}
    assert all("-100-" in label for label in attacks["identity"])
    assert all("-20-" in label for label in attacks["ddpm"])


def test_predictions_leave_gradients_off_where_they_were() -> None:
    assert torch.is_grad_enabled()
    row(BASELINES["identity"], count=2)
    assert torch.is_grad_enabled()


def test_a_predictor_that_cannot_learn_is_unknown_and_the_others_speak() -> None:
    flat = TABLE.assign(compression=("purifier", np.full(20, 0.5)))
    found = predicted(flat, flat.isel(purifier=[3]))
    assert found.sel(predictor="compression").isnull().to_array().all()
    assert found["survival"].sel(predictor=BELIEVED) >= 0


def test_among_enough_kin_these_alone_are_learnt_from_and_believed() -> None:
    samplers = [f"{('DDPM', 'DDIM', 'OneShot')[place % 3]}(depth={place})" for place in range(20)]
    coords = {"family": ["diffusion"] * 20, "network": ["net"] * 20, "recipe": samplers}
    relatives = TABLE.assign_coords({name: ("purifier", values) for name, values in coords.items()})
    both = xr.concat([relatives, TABLE.assign_coords(purifier=[f"q{place}" for place in range(20)])], "purifier")
    new = relatives.isel(purifier=[9])
    found = predicted(both, new)
    assert found["predictor"].values[0] == AMONG_KIN
    np.testing.assert_allclose(found["survival"][0], geometry_regression(relatives)(new)[0])
    stranger = new.assign_coords(network=("purifier", ["another"]))
    assert predicted(both, stranger)["predictor"].values[0] == BELIEVED
    assert kin(both.isel(purifier=slice(0, 9)), new) is None, "nine are too few"
    alike = relatives.assign_coords(recipe=("purifier", ["DDPM()"] * 20))
    assert kin(alike, new) is None, "of one kind none can be left out"


def test_a_purifier_that_forgets_its_input_is_answered() -> None:
    answer = predict(wrap(lambda images: torch.zeros_like(images) + 0.5, name="constant"), Digits()[:4], DIGITS, TABLE)
    assert 0 <= answer.survival <= 1
    assert answer.warnings


def test_functions_and_modules_are_purifiers_and_classifiers() -> None:
    def same(images):
        return images

    assert predict(same, Digits()[:3], DIGITS.load(), TABLE).survival <= 1
    with pytest.raises(TypeError, match="A purifier has `pin`"):
        predict(3, Digits()[:3], DIGITS, TABLE)


def test_images_and_classifiers_of_another_kind_are_refused() -> None:
    known = TABLE.assign_attrs(image_shape=[3, 32, 32])
    with pytest.raises(ValueError, match=r"of images of shape \(3, 32, 32\); got \(1, 8, 8\)"):
        predict(BASELINES["identity"], Digits()[:3], DIGITS, known)
    other = TABLE.assign_attrs(classifier="ConvNet('other')", classifier_digest="other")
    with pytest.raises(ValueError, match=r"of the classifier ConvNet\('other'\)"):
        predict(BASELINES["identity"], Digits()[:3], DIGITS, other)


def test_predictors_that_disagree_say_so() -> None:
    apart = predicted(TABLE, TABLE.isel(purifier=[9]))
    assert disagreement(apart) == ()
    apart["survival"][1] = apart["survival"][1] + 0.4
    assert "The predictors disagree" in disagreement(apart)[0]


def test_an_attack_whose_gradient_vanished_or_broke_tells_nothing() -> None:
    facts = measure(
        GaussianBlur(0.7), Digits()[:4], [*forward_questions(DIGITS, (0.1,)), Survival(DIGITS, (0.1,), PGD(3))]
    )
    facts = facts.expand_dims(purifier=["it"]).assign_coords(family=("purifier", ["blur"]))
    assert tabulated(facts, 0.1)["survival"].notnull().all()
    lost = facts.assign(gradient_vanished=xr.ones_like(facts["gradient_vanished"]))
    assert tabulated(lost, 0.1)["survival"].isnull().all()
    broken = facts.assign(gradient_broken=xr.ones_like(facts["gradient_broken"]))
    found = tabulated(broken, 0.1)["survived"].values
    won = facts["survived"].values.flatten().astype(bool)
    assert np.isnan(found[0, won]).all()
    assert (found[0, ~won] == 0).all()


def test_calibrations_of_digits_are_shipped_with_the_package() -> None:
    assert {"digits-linf-0.1", "digits-linf-0.2"} <= set(shipped())
    for radius in (0.1, 0.2):
        table = load(shipped()[f"digits-linf-{radius:g}"])
        assert table.attrs["radius"] == radius
        assert len(set(table["family"].values.tolist())) >= 8
        assert table.sizes["purifier"] >= 25
        assert table["survival"].notnull().all()
