"""Claims about the script that trains networks which give clean images back, with small plans and few images."""

import hashlib
import json
from dataclasses import replace

import pytest
import torch

from analyses import train_zoo, training
from purigeom.attacks.pgd import PGD
from purigeom.networks.files import weights_file
from purigeom.training import restorer
from purigeom.training.field_plans import FIELD_PLANS
from purigeom.training.recipe import Recipe
from purigeom.training.restorer_plans import PLANS
from purigeom.training.soap import SOAP_PLANS
from tests.training.test_fields import coloured, hurried
from tests.training.test_restorer import SUBJECT, small


@pytest.fixture(autouse=True)
def quickly(monkeypatch):
    monkeypatch.setattr(train_zoo, "subject", lambda images, device: SUBJECT)
    monkeypatch.setattr(train_zoo, "SAY_EVERY", 2)
    monkeypatch.setattr(restorer, "JUDGING", PGD(2))
    monkeypatch.setattr(train_zoo, "PLANS", {"digits": {name: small(name, 4) for name in ("disco", "maep-mlm")}})


def words(tmp_path, *names) -> list[str]:
    return [*names, "--folder", str(tmp_path / "weights"), "--states", str(tmp_path / "states")]


def said(capsys) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_progress_is_said_and_at_the_end_what_was_made(tmp_path, capsys) -> None:
    train_zoo.main(words(tmp_path, "disco", "maep-mlm"))
    lines = said(capsys)
    assert [line["step"] for line in lines if "step" in line] == [2, 4, 2, 4]
    made = {line["network"]: line for line in lines if "network" in line}
    assert {name: line["loss"] for name, line in made.items()} == {
        "digits-disco": "purification",
        "digits-maep-mlm": "mlm",
    }
    for name, line in made.items():
        file = weights_file(tmp_path / "weights" / name)
        assert line["bytes"] == file.stat().st_size
        assert line["weights_sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    train_zoo.main(words(tmp_path, "disco", "maep-mlm", "--judge"))
    assert said(capsys) == list(made.values()), "to judge is to say the same and train nothing"


def test_plans_for_cifar_are_trained_and_judged_by_the_same_commands(tmp_path, capsys, monkeypatch) -> None:
    subject, plans = coloured(tmp_path / "against"), FIELD_PLANS["cifar10"]
    monkeypatch.setattr(train_zoo, "subject", lambda images, device: subject)
    monkeypatch.setattr(train_zoo, "PLANS", PLANS)
    monkeypatch.setattr(train_zoo, "FIELD_PLANS", {"cifar10": {"energy": hurried(plans["energy"])}})
    soap = replace(SOAP_PLANS["cifar10"], recipe=Recipe(2, 1e-3, 2))
    monkeypatch.setattr(train_zoo, "SOAP_PLANS", {"cifar10": soap})
    command = words(tmp_path, "energy", "soap", "--images", "cifar10")
    train_zoo.main(command)
    made = [line for line in said(capsys) if "network" in line]
    assert [line["network"] for line in made] == ["cifar10-energy", "cifar10-soap"]
    assert made[0].keys() > {"clean_accuracy", "attacked_0.031_distance"}
    assert made[1].keys() > {"held_out_accuracy", "held_out_rotation"}
    train_zoo.main([*command, "--judge"])
    assert said(capsys) == made


@pytest.mark.parametrize("images", PLANS)
def test_the_command_says_what_it_can_train(images, monkeypatch) -> None:
    monkeypatch.setattr(train_zoo, "PLANS", PLANS)
    told = train_zoo.__doc__.partition("Names: ")[2].replace(";", ",").replace(".", ",").replace("\n", " ")
    assert train_zoo.plans_for(images).keys() <= {name.split()[-1] for name in told.split(",") if name.strip()}


def test_a_script_that_was_stopped_goes_on_and_makes_the_same_bytes(tmp_path, capsys, monkeypatch) -> None:
    train_zoo.main(words(tmp_path / "whole", "disco"))
    expected = said(capsys)[-1]
    keep, say = training.Keep, training.say

    def stop(what) -> None:
        say(what)
        if what["step"] == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(training, "Keep", lambda file: keep(file, seconds=0))
    with monkeypatch.context() as patched:
        patched.setattr(training, "say", stop)
        with pytest.raises(KeyboardInterrupt):
            train_zoo.main(words(tmp_path / "halved", "disco"))
    capsys.readouterr()
    torch.manual_seed(99)
    train_zoo.main(words(tmp_path / "halved", "disco"))
    lines = said(capsys)
    assert [line["step"] for line in lines[:-1]] == [4]
    assert lines[-1] == expected


def test_a_network_that_nobody_planned_is_named(capsys) -> None:
    with pytest.raises(SystemExit):
        train_zoo.main(["nobody", "disco"])
    assert (
        "['nobody'] cannot be trained on digits; choose of ['disco', 'energy', 'energy-published', 'flow', "
        in capsys.readouterr().err
    )
