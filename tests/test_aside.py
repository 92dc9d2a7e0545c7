"""A purifier that breaks some images costs no others."""

import json
import logging
from dataclasses import dataclass

import numpy as np
import pytest
import torch
import xarray as xr

from purigeom import store
from purigeom.attacks.adversary import Adversary
from purigeom.attacks.pgd import PGD
from purigeom.catalog import CLASSIFIERS, PURIFIERS
from purigeom.contract import BrokenImagesError
from purigeom.geometry.chain import Chain
from purigeom.images import Digits
from purigeom.measurements.compression import Compression
from purigeom.measurements.survival import Survival
from purigeom.sweep import Task, measure, run

IMAGES = Digits()[:6]
SECOND = IMAGES.load().image_ids[1]
QUESTIONS = (Compression((0.1,), probes=2), Survival(CLASSIFIERS["digits"], (0.1,), Adversary(PGD(2))))


@dataclass(frozen=True)
class Diverging:
    """Its second step diverges for some images."""

    broken: tuple[int, ...]

    def pin(self, noise, image_shape):
        growth = torch.tensor([torch.inf if one in self.broken else 1.0 for one in noise.image_ids])
        blur = PURIFIERS["gaussian-blur"].pin(noise, image_shape)
        return Chain((blur, lambda images: images * growth.to(images)[:, None, None, None]))


def test_what_diverges_is_named_with_its_step_and_the_other_images_are_measured(caplog) -> None:
    with caplog.at_level(logging.WARNING):
        found = measure(Diverging((SECOND,)), IMAGES, QUESTIONS)
    whole = measure(Diverging(()), IMAGES, QUESTIONS)
    assert found["image"].values.tolist() == list(IMAGES.load().image_ids)
    assert found.sel(image=SECOND).map(lambda fact: fact.isnull().all()).to_array().all()
    xr.testing.assert_allclose(found.drop_sel(image=SECOND), whole.drop_sel(image=SECOND))
    sentence = f"first in step 2 of 2, NaN or infinity for image {SECOND}."
    assert sentence in caplog.text
    assert sentence in json.loads(found.attrs["made_by"])["broken"][str(SECOND)]
    assert "broken" not in json.loads(whole.attrs["made_by"])


def test_a_store_keeps_what_was_said_of_it(tmp_path) -> None:
    root = run([Task("mine", Diverging((SECOND,)), question, IMAGES) for question in QUESTIONS], tmp_path, quiet=True)
    found = store.load(root)
    assert np.isnan(found["compression_ratio"].sel(image=SECOND)).all()
    assert found["compression_ratio"].drop_sel(image=SECOND).notnull().all()
    assert found["survived"].drop_sel(image=SECOND).notnull().all()


def test_where_no_image_is_left_it_is_raised() -> None:
    ids = IMAGES.load().image_ids
    with pytest.raises(BrokenImagesError, match=f"image {ids[0]} and 3 more"):
        measure(Diverging(ids[:4]), IMAGES[:4], QUESTIONS[:1])


def test_a_purifier_that_breaks_everything_costs_no_other_its_answers(tmp_path) -> None:
    purifiers = {"broken": Diverging(IMAGES.load().image_ids), "median": PURIFIERS["median"]}
    with pytest.raises(ValueError, match=r"broken, compression, block 0: ValueError: Diverging.* and \d more"):
        run([Task(name, one, QUESTIONS[0], IMAGES) for name, one in purifiers.items()], tmp_path, quiet=True)
    found = store.load(tmp_path)["compression_ratio"]
    assert found.sel(purifier="median").notnull().all()


@pytest.mark.parametrize("healthy", [[], ["healthy"]], ids=["alone", "after a purifier that breaks nothing"])
def test_an_image_that_breaks_late_costs_no_other_its_answer(tmp_path, monkeypatch, healthy) -> None:
    """The first unit answers yes and no, and whole numbers; only the second one has an image without an answer."""
    monkeypatch.setattr("purigeom.tasks.IMAGES_PER_UNIT", 3)
    late = IMAGES.load().image_ids[4]
    purifiers = {**dict.fromkeys(healthy, Diverging(())), "late": Diverging((late,))}
    tasks = [Task(name, one, QUESTIONS[1], IMAGES) for name, one in purifiers.items()]
    found = store.load(run(tasks, tmp_path, quiet=True)).sel(purifier="late")
    for name in ("survived", "purifications"):
        assert found[name].sel(image=late).isnull().all()
        assert found[name].drop_sel(image=late).notnull().all()


def test_stores_merge_whether_their_first_answers_had_broken_images_or_not(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("purigeom.tasks.IMAGES_PER_UNIT", 3)
    roots = [
        run([Task(f"mine {place}", Diverging((broken,)), QUESTIONS[1], IMAGES)], tmp_path / str(place), quiet=True)
        for place, broken in enumerate(IMAGES.load().image_ids[1:5:3])
    ]
    merged = store.load(store.merge(tmp_path / "both", *roots))
    assert merged["survived"].isnull().any("image").all()
    assert merged["survived"].notnull().any("image").all()
