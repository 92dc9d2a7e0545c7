"""Claims about classifiers in files: what is read, what is refused, and what they are called."""

import argparse
import json
import pickle
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from purigeom import __main__, store
from purigeom.catalog import CLASSIFIERS
from purigeom.identity import recipe
from purigeom.naming import classifier_named
from purigeom.networks.architectures import CIFAR10, IMAGENET, PUBLISHED
from purigeom.networks.classifier import ConvNet
from purigeom.networks.file_classifier import FileClassifier, described
from purigeom.networks.files import SHIPPED
from purigeom.networks.robustbench import RobustBench
from purigeom.networks.tensors import SUFFIXES, read
from purigeom.networks.whitened import whitened

IMAGES = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def network(name="resnet2b", seed=0, **settings) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return PUBLISHED[name](**settings).eval()


def saved(path, module, card=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".safetensors":
        save_file(module.state_dict(), path)
    else:
        torch.save(module.state_dict(), path)
    if card is not None:
        path.with_suffix(".json").write_text(json.dumps(card))
    return str(path)


def logits(module, normalisation):
    mean, deviation = (torch.tensor(part).view(-1, 1, 1) for part in normalisation)
    with torch.no_grad():
        return module((IMAGES - mean) / deviation)


@pytest.mark.parametrize("suffix", [one for one in SUFFIXES if one != ".safetensors"] + [".safetensors"])
@pytest.mark.parametrize("name", ["resnet2b", "cifar-resnet-20"])
def test_a_file_answers_as_the_network_that_was_saved(tmp_path, suffix, name):
    module = network(name)
    classifier = FileClassifier(saved(tmp_path / f"weights{suffix}", module), name)
    torch.testing.assert_close(classifier.load()(IMAGES), logits(module, classifier.normalisation()))
    assert classifier.load()(IMAGES.double()).dtype == torch.float64


WRAPPED = {
    "bare": lambda state: state,
    "in parallel": lambda state: {"state_dict": {f"module.{name}": value for name, value in state.items()}, "epoch": 9},
    "twice": lambda state: {"model": {"state_dict": {f"module.model.{name}": value for name, value in state.items()}}},
    "with options": lambda state: {"net": state, "args": argparse.Namespace(depth=2)},
    "halved": lambda state: {name: value.half() for name, value in state.items()},
}


@pytest.mark.parametrize("wrap", WRAPPED.values(), ids=WRAPPED)
def test_the_usual_wrappers_are_taken_off(tmp_path, wrap):
    module = network()
    torch.save(wrap(module.state_dict()), tmp_path / "weights.pt")
    tensors = read(tmp_path / "weights.pt")
    assert tensors.keys() == module.state_dict().keys()
    for name, value in module.state_dict().items():
        torch.testing.assert_close(tensors[name], value, rtol=1e-3, atol=1e-4)


class Trap:
    def __reduce__(self):
        return pytest.fail, ("pickled code ran",)


@pytest.mark.parametrize("content", [Trap(), {"state_dict": network().state_dict(), "optimiser": Trap()}, network()])
def test_pickled_code_is_refused_and_not_run(tmp_path, content):
    torch.save(content, tmp_path / "weights.pt")
    with pytest.raises(
        ValueError, match=r"tensors only.*Pickled code is never run.*where you trust it.*weights_only=False"
    ):
        read(tmp_path / "weights.pt")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\n<!DOCTYPE html><html>quota exceeded</html>", "a web page that was saved under their name"),
        (b"\x80\x02damaged", "must hold tensors only"),
        (b"", "must hold tensors only"),
    ],
)
def test_a_file_of_something_else_is_named(tmp_path, content, words):
    (tmp_path / "weights.pt").write_bytes(content)
    with pytest.raises(ValueError, match=words):
        read(tmp_path / "weights.pt")


def test_a_length_that_looks_like_a_web_page_is_none(tmp_path):
    file, length = tmp_path / "weights.safetensors", int.from_bytes(b" <", "little")
    head = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'.ljust(length)
    file.write_bytes(length.to_bytes(8, "little") + head + bytes(4))
    assert read(file)["a"].tolist() == [0]


def test_a_file_without_tensors_says_what_it_holds(tmp_path):
    torch.save({"epoch": 3, "best": 0.5}, tmp_path / "weights.pt")
    with pytest.raises(ValueError, match=r"must hold tensors by name.*it holds \['best', 'epoch'\]"):
        read(tmp_path / "weights.pt")
    with pytest.raises(ValueError, match=r"must be a file of weights.*got \.npz"):
        read(tmp_path / "weights.npz")
    with pytest.raises(FileNotFoundError, match="There is no file"):
        read(tmp_path / "missing.pt")


def test_weights_in_use_do_not_change_with_their_file(tmp_path):
    """A file may be read as memory: what is computed with is a copy of it."""
    file = tmp_path / "weights.pt"
    answers = FileClassifier(saved(file, network()), "resnet2b").load()
    before = answers(IMAGES)
    with file.open("r+b") as opened:
        opened.write(bytes(1) * file.stat().st_size)
    assert torch.equal(answers(IMAGES), before)


def test_the_folder_of_a_file_is_no_part_of_its_key(tmp_path):
    here, there = (saved(tmp_path / place / "w.safetensors", network()) for place in ("here", "there"))
    first, other = FileClassifier(here, "resnet2b"), FileClassifier(there, "resnet2b")
    assert str(tmp_path) not in repr(first)
    assert recipe(first) == recipe(other)
    assert pickle.loads(pickle.dumps(first)) == first


def test_everything_that_changes_the_answers_changes_the_key(tmp_path):
    file = saved(tmp_path / "w.safetensors", network())
    first = FileClassifier(file, "resnet2b")
    assert recipe(FileClassifier(file, "resnet2b", *CIFAR10)) == recipe(first), "its own normalisation, in words"
    assert recipe(FileClassifier(file, "resnet2b", *IMAGENET)) != recipe(first)
    assert recipe(FileClassifier(file, "resnet4b", *CIFAR10)) != recipe(first)
    before, answer = recipe(first), first.load()(IMAGES)
    saved(tmp_path / "w.safetensors", network(seed=1))
    assert recipe(first) != before
    assert not torch.equal(first.load()(IMAGES), answer)


def test_the_architecture_is_recognised_by_its_tensors(tmp_path):
    for name in ("resnet2b", "resnet4b", "cifar-resnet-20", "cifar-resnet-32", "magnet-mnist"):
        assert described(saved(tmp_path / f"{name}.pt", network(name))).architecture == name
    stranger = saved(tmp_path / "stranger.pt", nn.Linear(2, 2))
    with pytest.raises(ValueError, match=r"stranger\.pt needs an architecture.*2 tensors that fit none exactly"):
        described(stranger)


def test_a_json_beside_a_file_says_what_its_tensors_cannot(tmp_path):
    card = {"architecture": "cnn-a", "mean": [0.5] * 3, "std": [0.25] * 3, "licence": "MIT"}
    classifier = described(saved(tmp_path / "w.safetensors", network("cnn-a"), card))
    assert repr(classifier) == (
        "FileClassifier('w.safetensors', 'cnn-a', mean=(0.5, 0.5, 0.5), deviation=(0.25, 0.25, 0.25))"
    )
    assert described(classifier.file, "resnet2b").architecture == "resnet2b", "what is said comes first"
    (tmp_path / "w.json").write_text("{")
    with pytest.raises(ValueError, match=r"w\.json must be JSON"):
        described(classifier.file)
    (tmp_path / "w.json").write_text("[]")
    with pytest.raises(TypeError, match=r"w\.json must be a JSON object.*holds a list"):
        described(classifier.file)


def test_a_number_of_classes_is_taken_and_checked(tmp_path):
    file = saved(tmp_path / "w.pt", network("cifar-resnet-20", classes=100))
    assert FileClassifier(file, "cifar-resnet-20", classes=100).load()(IMAGES).shape == (2, 100)
    with pytest.raises(ValueError, match=r"2 of another shape: linear.bias \(100,\) for \(10,\)"):
        FileClassifier(file, "cifar-resnet-20").load()(IMAGES)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"architecture": "perceptron"}, "architecture must be one of.*got 'perceptron'"),
        ({"architecture": "cnn-a"}, "needs both mean and deviation: say how its images were normalised"),
        ({"architecture": "resnet2b", "mean": (0.5,)}, "needs both mean and deviation"),
        ({"architecture": "resnet2b", "mean": (0.5,), "deviation": (0.0,)}, "positive deviation"),
        ({"architecture": "resnet2b", "mean": (0.5,), "deviation": (1.0, 1.0)}, "for every channel"),
    ],
)
def test_a_description_that_leaves_something_open_is_refused(fields, words):
    with pytest.raises(ValueError, match=words):
        FileClassifier("w.pt", **fields)


def test_a_file_is_named_on_the_command_line(tmp_path):
    file = saved(tmp_path / "w.th", network())
    assert classifier_named(file, CLASSIFIERS) == classifier_named(f"{file}:resnet2b", CLASSIFIERS) == described(file)
    assert classifier_named("digits", CLASSIFIERS) is CLASSIFIERS["digits"]
    assert classifier_named("robustbench:Standard", CLASSIFIERS) == RobustBench("Standard")
    with pytest.raises(ValueError, match="got 'oracle'"):
        classifier_named(f"{file}:oracle", CLASSIFIERS)
    with pytest.raises(FileNotFoundError, match="There is no file"):
        classifier_named(str(tmp_path / "missing.pt"), CLASSIFIERS)


def test_measure_takes_a_file_as_its_classifier_and_keeps_its_path_to_itself(tmp_path, monkeypatch, capsys):
    file = saved(tmp_path / "w.th", network())
    np.savez(tmp_path / "images.npz", images=IMAGES.numpy(), labels=np.array([0, 1]))
    words = ["--images", f"{tmp_path}/images.npz", "--classifier", file, "--measurement", "margins", "--quiet"]
    monkeypatch.setattr(sys, "argv", ["purigeom", "measure", "identity", *words, "--out", str(tmp_path / "store")])
    with pytest.raises(SystemExit) as stopped:
        __main__.main()
    assert (stopped.value.code, capsys.readouterr().err) == (0, "")
    asked = store.load(tmp_path / "store").attrs["margins"]
    assert "FileClassifier('w.th', 'resnet2b', mean=" in asked
    assert file not in asked


def test_a_folder_may_say_its_architecture_and_hold_half_floats(tmp_path):
    module = whitened([0.5] * 3, [0.25] * 3, (8, 8, 8)).eval()
    save_file({name: value.half() for name, value in module.state_dict().items()}, tmp_path / "model.safetensors")
    settings = {"architecture": "whitened", "mean": [0.5] * 3, "deviation": [0.25] * 3, "widths": [8, 8, 8]}
    (tmp_path / "config.json").write_text(json.dumps(settings))
    answer = ConvNet(str(tmp_path)).load()(IMAGES)
    assert answer.dtype == torch.float32
    with torch.no_grad():
        torch.testing.assert_close(answer, module(IMAGES), rtol=1e-2, atol=1e-2)
    (tmp_path / "config.json").write_text(json.dumps({"architecture": "oracle"}))
    with pytest.raises(ValueError, match=r"with an architecture of \[.*'whitened'.*'oracle'"):
        ConvNet(str(tmp_path)).load()(IMAGES)


def test_the_shipped_classifier_is_keyed_as_when_it_was_shipped():
    """Calibrations are keyed by it."""
    card = (SHIPPED / "MODEL_CARD.md").read_text()
    assert f"`digits-classifier`: `{CLASSIFIERS['digits'].content()}`" in card
    assert repr(CLASSIFIERS["digits"]) == "ConvNet(checkpoint='digits-classifier')"
