"""Claims about the script that trains the networks of the repository, with small recipes and manufactured images."""

import hashlib
import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch

from analyses import train_cifar, training
from analyses.train_cifar import Plan
from purigeom.networks.classifier import ConvNet
from purigeom.networks.files import weights_file
from purigeom.training.cifar import LEAN
from purigeom.training.classifier import ClassifierRecipe, accuracy
from purigeom.training.recipe import Recipe
from tests.training.made import data

DATA = data()
SMALL = {**LEAN, "block_out_channels": (8, 8, 8), "norm_num_groups": 4}
PLANS = train_cifar.plans


class Made:
    """Stand in for the images of CIFAR-10."""

    def __init__(self, name: str, split: str) -> None:
        self.split = split

    def load(self):
        return getattr(DATA, self.split)


def small_plans(folder: Path) -> dict[str, Plan]:
    """Return the script's own plans of two networks, with less to do."""
    quickly = {
        "classifier": {"recipe": ClassifierRecipe(epochs=1, peak_rate=0.5, batch=32, widths=(8, 8, 8))},
        "denoiser": {"architecture": SMALL, "recipe": Recipe(4, 1e-3, batch=2)},
    }
    planned = PLANS(folder)
    return {name: replace(planned[name], train=partial(planned[name].train, **less)) for name, less in quickly.items()}


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(train_cifar, "Cifar", Made)
    monkeypatch.setattr(train_cifar, "SAY_EVERY", 2)
    monkeypatch.setattr(train_cifar, "plans", small_plans)


def said(capsys) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def words(tmp_path, *names) -> list[str]:
    return [*names, "--folder", str(tmp_path / "weights"), "--states", str(tmp_path / "states"), "--threads", "1"]


def test_progress_is_said_and_at_the_end_what_was_made(tmp_path, capsys) -> None:
    train_cifar.main(words(tmp_path, "classifier", "denoiser"))
    lines = said(capsys)
    progress = [line for line in lines if "step" in line]
    assert [line["step"] for line in progress] == [2, 4, 6, 8, 2, 4]
    assert all(line["steps_per_second"] > 0 and line["time"] > 0 for line in progress)
    made = {line["network"]: line for line in lines if "network" in line}
    assert list(made) == ["cifar10-classifier", "cifar10-ddpm"]
    for name, part in (("cifar10-classifier", "."), ("cifar10-ddpm", "unet")):
        file = weights_file(tmp_path / "weights" / name / part)
        assert made[name]["bytes"] == file.stat().st_size
        assert made[name]["weights_sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    again = accuracy(ConvNet(str(tmp_path / "weights" / "cifar10-classifier")), DATA.test)
    assert made["cifar10-classifier"]["held_out_accuracy"] == again
    assert made["cifar10-ddpm"].keys() > {"held_out_error_20", "held_out_error_200"}


def test_a_script_that_was_stopped_goes_on_and_makes_the_same_bytes(tmp_path, capsys, monkeypatch) -> None:
    whole, halved = tmp_path / "whole", tmp_path / "halved"
    train_cifar.main(words(whole, "classifier"))
    expected = said(capsys)[-1]
    keep, say = training.Keep, training.say

    def stop(what) -> None:
        say(what)
        if what["step"] == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(training, "Keep", lambda file: keep(file, seconds=0))
    with monkeypatch.context() as patched:
        patched.setattr(training, "say", stop)
        with pytest.raises(KeyboardInterrupt):
            train_cifar.main(words(halved, "classifier"))
    capsys.readouterr()
    torch.manual_seed(99)
    train_cifar.main(words(halved, "classifier"))
    lines = said(capsys)
    assert [line["step"] for line in lines[:-1]] == [6, 8]
    assert lines[-1] == expected


def test_every_plan_trains_something_else() -> None:
    plans = PLANS(Path("weights"))
    assert len({plan.name for plan in plans.values()}) == len(plans) == 5
    assert plans["robust"].train.keywords["recipe"].radius == pytest.approx(8 / 255)
    assert plans["autoencoder"].train.keywords["against"] == ConvNet("weights/cifar10-classifier")


def test_a_network_that_nobody_planned_is_named(capsys) -> None:
    with pytest.raises(SystemExit):
        train_cifar.main(["nobody"])
    assert "invalid choice: 'nobody'" in capsys.readouterr().err
