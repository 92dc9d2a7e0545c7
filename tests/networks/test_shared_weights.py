"""Published classifiers on real images: accuracies that others report are reproduced here."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from purigeom.networks.file_classifier import described
from tests.shared import DATA, needs_data

WEIGHTS = ("resnet20", "resnet32", "resnet56", "resnet2b", "resnet4b", "cifar_cnn_a_adv", "oval_wide")
COUNT = 1000

pytestmark = needs_data


@pytest.fixture(scope="module")
def cifar10():
    """Return the first thousand test images and their labels: one mosaic of 20 by 50 images."""
    with zipfile.ZipFile(DATA / "cifar10" / "test.zip") as archive:
        mosaic = np.asarray(Image.open(archive.open("mosaic_00.webp")).convert("RGB"))
        labels = np.load(io.BytesIO(archive.read("labels.npz")))["y"][:COUNT]
    images = mosaic.reshape(20, 32, 50, 32, 3).transpose(0, 2, 4, 1, 3).reshape(COUNT, 3, 32, 32)
    return torch.from_numpy(images).float() / 255, torch.from_numpy(labels).long()


def accuracy(file: Path, images: torch.Tensor, labels: torch.Tensor) -> float:
    with torch.no_grad():
        answers = torch.cat([described(str(file)).load()(part).argmax(1) for part in images.split(250)])
    return 100 * (answers == labels).double().mean().item()


@pytest.mark.parametrize("name", WEIGHTS)
def test_the_accuracy_on_the_whole_test_set_is_met_on_a_part_of_it(name, cifar10):
    file = DATA / "weights" / f"cifar10_{name}.safetensors"
    reported = json.loads(file.with_suffix(".json").read_text())["acc_lossless_test"]
    error = (reported * (100 - reported) / COUNT) ** 0.5
    assert accuracy(file, *cifar10) == pytest.approx(reported, abs=2.6 * error)


def test_the_classifier_of_mnist_is_as_good_as_reported():
    with np.load(DATA / "mnist.npz", allow_pickle=False) as stored:
        images = torch.from_numpy(stored["x_test"][:COUNT]).float().div(255).unsqueeze(1)
        labels = torch.from_numpy(stored["y_test"][:COUNT]).long()
    found = accuracy(DATA / "weights" / "mnist_magnet_classifier.safetensors", images, labels)
    assert found == pytest.approx(98.8, abs=2.6 * (98.8 * 1.2 / COUNT) ** 0.5)
