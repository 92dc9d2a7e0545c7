"""Claims about the folders in which checkpoints have names."""

import json
from dataclasses import astuple

import pytest
import torch
from safetensors.torch import save_file

from purigeom.networks import files
from purigeom.networks.classifier import ConvNet
from purigeom.networks.files import escapes, folder, models_folder
from purigeom.networks.plain import convolutions

SETTINGS = {"channels": 1, "classes": 10, "width": 4, "size": 8}


def saved(place):
    place.mkdir(parents=True)
    save_file(convolutions(**SETTINGS).state_dict(), place / "model.safetensors")
    (place / "config.json").write_text(json.dumps(SETTINGS))
    return place


@pytest.fixture
def models(tmp_path, monkeypatch):
    monkeypatch.setenv("PURIGEOM_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def test_a_name_is_found_in_the_models_folder_wherever_that_is(models):
    saved(models / "someone" / "tiny")
    classifier = ConvNet("someone/tiny")
    assert astuple(classifier) == ("someone/tiny",), "the folder is no part of the name"
    assert classifier.load()(torch.zeros(1, 1, 8, 8)).shape == (1, 10)


def test_the_models_folder_is_data_cache_unless_it_is_said(monkeypatch):
    monkeypatch.delenv("PURIGEOM_MODELS", raising=False)
    assert models_folder().as_posix() == "data_cache/models"


def test_a_name_is_found_in_the_weights_of_the_checkout(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "CHECKOUT", tmp_path)
    assert folder(saved(tmp_path / "ours").name) == tmp_path / "ours"


def test_what_is_shipped_comes_before_what_was_fetched(models):
    saved(models / "digits-classifier")
    assert folder("digits-classifier") == files.SHIPPED / "digits-classifier"


@pytest.mark.parametrize("name", ["../secret", "tiny/../../secret"])
def test_a_name_cannot_lead_out_of_its_folder(models, name, monkeypatch, tmp_path):
    saved(tmp_path / "secret")
    (models / "tiny").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "secret" / "..")
    assert escapes(name)
    assert (models / name).is_dir(), "it would be found"
    with pytest.raises(FileNotFoundError):
        folder(name)


def test_a_missing_name_is_told_where_it_was_looked_for_and_what_there_is(models):
    saved(models / "mine")
    with pytest.raises(FileNotFoundError, match=r"one of \[.*'digits-.*'mine'.*purigeom models fetch") as raised:
        folder("yours")
    assert f"{models} (PURIGEOM_MODELS)" in str(raised.value)
