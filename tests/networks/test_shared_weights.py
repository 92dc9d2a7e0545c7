"""Published classifiers on real images: accuracies that others report are reproduced here."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from purigeom.images import Cifar
from purigeom.networks.file_classifier import described
from tests.shared import DATA, needs_data

WEIGHTS = ("resnet20", "resnet32", "resnet56", "resnet2b", "resnet4b", "cifar_cnn_a_adv", "oval_wide")
COUNT = 1000

pytestmark = needs_data


@pytest.fixture(scope="module")
def cifar10():
    """Return the first test images and their labels."""
    return Cifar(folder=str(DATA))[:COUNT].load()


def accuracy(file: Path, images: torch.Tensor, labels: torch.Tensor) -> float:
    with torch.no_grad():
        answers = torch.cat([described(str(file)).load()(part).argmax(1) for part in images.split(250)])
    return 100 * (answers == labels).double().mean().item()


@pytest.mark.parametrize("name", WEIGHTS)
def test_the_accuracy_on_the_whole_test_set_is_met_on_a_part_of_it(name, cifar10):
    file = DATA / "weights" / f"cifar10_{name}.safetensors"
    reported = json.loads(file.with_suffix(".json").read_text())["acc_lossless_test"]
    error = (reported * (100 - reported) / COUNT) ** 0.5
    assert accuracy(file, cifar10.images, cifar10.labels) == pytest.approx(reported, abs=2.6 * error)


def test_the_classifier_of_mnist_is_as_good_as_reported():
    with np.load(DATA / "mnist.npz", allow_pickle=False) as stored:
        images = torch.from_numpy(stored["x_test"][:COUNT]).float().div(255).unsqueeze(1)
        labels = torch.from_numpy(stored["y_test"][:COUNT]).long()
    found = accuracy(DATA / "weights" / "mnist_magnet_classifier.safetensors", images, labels)
    assert found == pytest.approx(98.8, abs=2.6 * (98.8 * 1.2 / COUNT) ** 0.5)
