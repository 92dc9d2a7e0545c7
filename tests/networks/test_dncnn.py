"""Claims about the network that predicts noise and takes it away."""

import pytest
import torch
from torch import nn

from purigeom.networks.dncnn import dncnn

IMAGES = torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def test_it_returns_images_less_the_noise_that_it_predicts() -> None:
    network = dncnn(1, 8, depth=4, width=6).eval()
    assert torch.equal(network(IMAGES), IMAGES - network.noise(IMAGES))
    nn.init.zeros_(network.noise[-1].weight)
    nn.init.constant_(network.noise[-1].bias, 0.25)
    assert torch.equal(network(IMAGES), IMAGES - 0.25)


@pytest.mark.parametrize("depth", [3, 6])
def test_all_layers_but_the_first_and_the_last_are_normalised(depth) -> None:
    layers = list(dncnn(1, 8, depth=depth, width=6).noise)
    convolutions = [place for place, layer in enumerate(layers) if isinstance(layer, nn.Conv2d)]
    assert len(convolutions) == depth
    normalised = [isinstance(layers[place + 1], nn.BatchNorm2d) for place in convolutions[:-1]]
    assert normalised == [False] + [True] * (depth - 2)
    assert sum(isinstance(layer, nn.ReLU) for layer in layers) == depth - 1


def test_the_defaults_have_as_many_weights_as_the_published_network() -> None:
    """17 layers of 64 grey channels; where a layer is normalised its bias and scale are the normalisation's."""
    first, last, between = 9 * 64 + 64, 9 * 64 + 1, 64 * 64 * 9 + 2 * 64
    assert sum(weight.numel() for weight in dncnn(1, 40).parameters()) == first + 15 * between + last


def test_too_few_layers_are_refused() -> None:
    with pytest.raises(ValueError, match=r"depth of at least 3, .*; got 2"):
        dncnn(1, 8, depth=2)
