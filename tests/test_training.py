"""The trainers, at a size that takes seconds."""

import hashlib
import json

import pytest
import torch

from purigeom.catalog import CLASSIFIERS
from purigeom.images import Digits
from purigeom.networks.classifier import ConvNet
from purigeom.networks.files import SHIPPED
from purigeom.networks.unet import UNet
from purigeom.procedural import Procedural
from purigeom.training import procedural
from purigeom.training.digits import train_classifier, train_denoiser
from purigeom.training.recipe import Recipe


def test_a_denoiser_learns_and_loads_again(tmp_path) -> None:
    errors = [train_denoiser(tmp_path, Recipe(steps, 2e-3, 16))["held_out_error_200"] for steps in (1, 30)]
    assert errors[1] < 0.6 * errors[0]
    network = UNet(str(tmp_path))
    network.check((1, 8, 8))
    predict = network.module(torch.device("cpu"), torch.float32)
    assert predict(torch.zeros(1, 1, 8, 8), 3).sample.isfinite().all()


def test_a_denoiser_of_procedural_images_learns_and_loads_again(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(procedural, "TEST", Procedural(count=64))
    monkeypatch.setattr(procedural, "SAY_EVERY", 10)
    train, heard = Procedural(count=256, split="train"), []
    first = procedural.train_denoiser(tmp_path, Recipe(1, 2e-3, 16), train)["held_out_error_200"]
    last = procedural.train_denoiser(tmp_path, Recipe(40, 2e-3, 16), train, heard.append)["held_out_error_200"]
    assert last < 0.6 * first
    assert [progress["step"] for progress in heard] == [10, 20, 30, 40]
    assert heard[-1]["held_out_error_200"] == pytest.approx(last, rel=0.01)  # half floats lose next to nothing
    network = UNet(str(tmp_path))
    network.check((3, 16, 16))
    predict = network.module(torch.device("cpu"), torch.float32)
    assert {parameter.dtype for parameter in predict.parameters()} == {torch.float32}
    assert predict(torch.zeros(1, 3, 16, 16), 3).sample.isfinite().all()


def test_a_classifier_learns_and_loads_again(tmp_path) -> None:
    accuracy = train_classifier(tmp_path, Recipe(60, 3e-3))["held_out_accuracy"]
    assert accuracy > 0.7
    test = Digits().load()
    again = (ConvNet(str(tmp_path)).load()(test.images).argmax(1) == test.labels).float().mean().item()
    assert again == pytest.approx(accuracy)


def test_training_is_a_function_of_its_seed(tmp_path) -> None:
    for name in ("one", "two"):
        train_classifier(tmp_path / name, Recipe(3, 3e-3))
    assert ConvNet(str(tmp_path / "one")).content() == ConvNet(str(tmp_path / "two")).content()


def test_the_shipped_classifier_is_as_good_as_its_card() -> None:
    test = Digits().load()
    right = CLASSIFIERS["digits"].load()(test.images).argmax(1) == test.labels
    assert right.float().mean() >= 0.97
    assert f"{100 * right.float().mean():.1f} %" in (SHIPPED / "MODEL_CARD.md").read_text()


def test_the_card_names_the_bytes_that_are_shipped() -> None:
    card = (SHIPPED / "MODEL_CARD.md").read_text()
    assert UNet("digits-ddpm").content() in card
    assert UNet("procedural-ddpm").content() in card
    assert ConvNet("digits-classifier").content() in card
    for file in SHIPPED.rglob("*.safetensors"):
        assert hashlib.sha256(file.read_bytes()).hexdigest() in card
    assert json.loads((SHIPPED / "digits-ddpm" / "unet" / "config.json").read_text())["dropout"] == 0.2
