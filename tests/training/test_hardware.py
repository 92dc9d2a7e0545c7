"""Claims about what a training runs on."""

import torch
from torch import nn

from purigeom.training.hardware import Hardware


def test_half_precision_is_of_the_layers_and_not_of_the_weights() -> None:
    layer, images = nn.Conv2d(3, 4, 3), torch.zeros(2, 3, 8, 8)
    for half, expected in ((False, torch.float32), (True, torch.bfloat16)):
        with Hardware(half_precision=half).precision():
            assert layer(images).dtype == expected
    assert layer.weight.dtype == torch.float32


def test_channels_lie_last_in_images_and_weights_and_nothing_else_changes() -> None:
    hardware, images, labels = Hardware(), torch.rand(2, 3, 8, 8), torch.arange(2)
    placed = hardware.place(images)
    assert placed.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(placed, images)
    assert torch.equal(hardware.place(labels), labels)
    layer = nn.Conv2d(3, 4, 3)
    before = layer.weight.clone()
    assert hardware.settle(layer) is layer
    assert layer.weight.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(layer.weight, before)


def test_only_who_asks_has_a_network_compiled(monkeypatch) -> None:
    layer, compiled = nn.Linear(2, 2), []
    monkeypatch.setattr(torch, "compile", lambda network: compiled.append(network) or network)
    Hardware().called(layer)
    assert compiled == []
    Hardware(compiled=True).called(layer)
    assert compiled == [layer]
