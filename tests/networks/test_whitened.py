"""Claims about the whitened classifier before it is trained."""

import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d

from purigeom.networks.whitened import PATCH, whiten, whitened
from tests.training.made import patterned

IMAGES = patterned(64).images
MEAN, DEVIATION = IMAGES.mean((0, 2, 3)).tolist(), IMAGES.std((0, 2, 3)).tolist()
COMPONENTS = 3 * PATCH**2
WIDTHS = (32, 40, 40)


def network() -> nn.Sequential:
    torch.manual_seed(0)
    made = whitened(MEAN, DEVIATION, WIDTHS)
    whiten(made, IMAGES, smallest=0.0)
    return made


def test_whitening_gives_the_components_of_patches_equal_variance_and_no_correlation() -> None:
    made = network()
    answers = conv2d(made[0](IMAGES), made[1].weight[:COMPONENTS]).transpose(0, 1).flatten(1).detach().double()
    second_moments = answers @ answers.T / answers.shape[1]
    torch.testing.assert_close(second_moments, torch.eye(COMPONENTS, dtype=torch.float64), rtol=0, atol=1e-4)


def test_a_smallest_variance_keeps_noise_from_being_blown_up() -> None:
    made = network()
    loudest = made[1].weight.abs().max().item()
    whiten(made, IMAGES, smallest=1.0)
    assert made[1].weight.abs().max().item() < 1 < loudest


def test_every_component_comes_in_both_signs_the_strongest_first() -> None:
    weight = network()[1].weight.detach()
    assert torch.equal(weight[:COMPONENTS], -weight[COMPONENTS:])
    sizes = weight[:COMPONENTS].flatten(1).norm(dim=1)
    assert (sizes.diff() > 0).all(), "a strong component is divided by more"


def test_the_first_outputs_of_a_stage_s_convolution_repeat_its_inputs_before_training() -> None:
    convolutions = [layer for layer in network()[2:] if isinstance(layer, nn.Conv2d)]
    assert len(convolutions) == 2 * len(WIDTHS)
    for layer in convolutions:
        values = torch.rand(2, layer.in_channels, 6, 6)
        torch.testing.assert_close(layer(values)[:, : layer.in_channels], values)


def test_neither_the_whitening_s_directions_nor_the_normalisations_scales_are_trained() -> None:
    made = network()
    fixed = {name for name, parameter in made.named_parameters() if not parameter.requires_grad}
    scales = {f"{place}.weight" for place, layer in enumerate(made) if isinstance(layer, nn.BatchNorm2d)}
    assert len(scales) == 2 * len(WIDTHS)
    assert fixed == {"1.weight"} | scales


def test_there_is_a_logit_per_class_and_an_answer_per_image() -> None:
    made = whitened(MEAN, DEVIATION, WIDTHS, classes=7).eval()
    with torch.no_grad():
        together, alone = made(IMAGES[:3]), made(IMAGES[:1])
    assert together.shape == (3, 7)
    torch.testing.assert_close(together[:1], alone)


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_the_network_sees_images_in_units_of_their_deviation(factor) -> None:
    with torch.no_grad():
        plain = whitened([0.0] * 3, [1.0] * 3, WIDTHS)[0](IMAGES)
        scaled = whitened([0.25] * 3, [factor] * 3, WIDTHS)[0](factor * IMAGES + 0.25)
    torch.testing.assert_close(plain, scaled)
