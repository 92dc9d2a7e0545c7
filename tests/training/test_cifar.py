"""Claims about the trainers of 32x32 colour images, at a size that takes seconds: they learn, what they save loads."""

from dataclasses import replace

import pytest
import torch
from diffusers import UNet2DModel
from safetensors.torch import load_file

from purigeom.networks.autoencoder import Autoencoder
from purigeom.networks.classifier import ConvNet
from purigeom.networks.files import weights_file
from purigeom.networks.unet import UNet
from purigeom.training import cifar
from purigeom.training.cifar import LEAN, train_autoencoder, train_classifier, train_denoiser
from purigeom.training.classifier import ClassifierRecipe, accuracy
from purigeom.training.denoiser import held_out_errors
from purigeom.training.descent import Run
from purigeom.training.hardware import Hardware
from purigeom.training.recipe import Recipe
from tests.training.made import CLASSES, data

CPU = torch.device("cpu")
DATA = data()
RACING = ClassifierRecipe(epochs=2, peak_rate=0.5, batch=32, widths=(8, 16, 16))
SMALL = {**LEAN, "block_out_channels": (8, 8, 16), "norm_num_groups": 4}


def stored_types(part) -> set[torch.dtype]:
    """Return the types of the weights in a folder; counters are none."""
    return {tensor.dtype for tensor in load_file(weights_file(part)).values() if tensor.is_floating_point()}


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    """Return a folder that a classifier was saved in, and what was said of it."""
    target = tmp_path_factory.mktemp("classifier")
    return target, train_classifier(target, DATA, RACING)


def test_a_classifier_learns_and_loads_again_as_good_as_it_was_said_to_be(classifier) -> None:
    target, found = classifier
    assert found["held_out_accuracy"] > 2 / CLASSES
    assert stored_types(target) == {torch.float16}
    assert accuracy(ConvNet(str(target)), DATA.test) == found["held_out_accuracy"]


def test_accuracy_does_not_depend_on_how_many_images_travel_together(classifier) -> None:
    who = ConvNet(str(classifier[0]))
    assert accuracy(who, DATA.test, at_once=7) == accuracy(who, DATA.test)


def test_a_classifier_learns_against_an_adversary_in_half_precision(tmp_path) -> None:
    recipe = replace(RACING, radius=cifar.RADIUS, smoothing=0.0)
    found = train_classifier(tmp_path, DATA, recipe, Run(Hardware(half_precision=True)))
    assert found["held_out_accuracy"] > 2 / CLASSES
    assert accuracy(ConvNet(str(tmp_path)), DATA.test) == found["held_out_accuracy"]


def test_a_denoiser_learns_and_loads_again_as_good_as_it_was_said_to_be(tmp_path) -> None:
    recipe = Recipe(30, 5e-3, batch=8)
    found = train_denoiser(tmp_path, DATA, SMALL, recipe)
    assert found["held_out_error_200"] < 0.6, "predicting no noise scores 1"
    assert stored_types(tmp_path / "unet") == {torch.float16}
    network = UNet(str(tmp_path))
    network.check((3, 32, 32))
    assert held_out_errors(network.module(CPU, torch.float32), DATA.test) == pytest.approx(found, rel=1e-5)
    half = train_denoiser(tmp_path / "half", DATA, SMALL, recipe, Run(Hardware(half_precision=True)))
    assert half == pytest.approx(found, rel=0.05)


def test_an_autoencoder_learns_and_loads_again(classifier, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(cifar, "CODE", {"channels": 3, "size": 32, "widths": (8, 16), "code": 8})
    against, few = ConvNet(str(classifier[0])), replace(DATA, train=DATA.train[:32], test=DATA.test[:16])
    errors = [
        train_autoencoder(tmp_path, few, against, Recipe(steps, 1e-2, batch=16))["held_out_distance"]
        for steps in (1, 40)
    ]
    assert errors[1] < 0.6 * errors[0]
    assert stored_types(tmp_path) == {torch.float16}
    network = Autoencoder(str(tmp_path))
    network.check((3, 32, 32))
    attacked = cifar.crafted(few.test, against, cifar.CRAFTED, cifar.RADIUS)
    assert (attacked - few.test.images).abs().max() <= cifar.RADIUS + 1e-6
    again = network.module(CPU, torch.float32)(attacked).clamp(0, 1)
    assert (again - few.test.images).abs().mean().item() == pytest.approx(errors[1], rel=1e-4)


def test_the_denoisers_are_as_large_as_they_are_said_to_be() -> None:
    with torch.device("meta"):
        counts = [sum(one.numel() for one in UNet2DModel(**kind).parameters()) for kind in (LEAN, cifar.LARGE)]
    assert [round(count / 1e6, 1) for count in counts] == [6.6, 22.5]
