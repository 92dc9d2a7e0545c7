"""Claims about the local implicit function, held against a loop that takes one place at a time, as it was published."""

from itertools import product
from math import floor

import pytest
import torch
from torch.nn.functional import pad

from purigeom.networks.disco import disco

HEIGHT, WIDTH = 5, 4
IMAGES = torch.rand(2, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
PLACES = {
    "on the pixels": (torch.arange(HEIGHT).double(), torch.arange(WIDTH).double()),
    "between them": (torch.tensor([0.3, 1.5, 2.0, 3.9]).double(), torch.tensor([0.25, 2.75]).double()),
    "beyond the border": (torch.tensor([-0.4, 4.4]).double(), torch.tensor([-0.2, 3.3]).double()),
}


@pytest.fixture
def network():
    torch.manual_seed(0)
    return disco(channels=3, size=4, blocks=1, width=4, hidden=(6, 5)).double()


def centre_near(place, size):
    """Return the number and the centre of the pixel that a place lies in, as if the image went on for ever."""
    pixel = floor((place + 1) / 2 * size)
    return pixel, (2 * pixel + 1) / size - 1


def inside(place):
    return min(max(place, -1 + 1e-6), 1 - 1e-6)


def colour(network, features, pixels, cell=1.0, *, clamped_areas=False):
    """Return the colour at one place of one image, reckoned in the published units, from -1 to 1."""
    sizes = features.shape[1:]
    place = [(2 * one + 1) / size - 1 for one, size in zip(pixels, sizes, strict=True)]
    around = pad(features, (1, 1, 1, 1))
    answers, areas = [], []
    for hands in product((-1, 1), (-1, 1)):
        moved = [one + hand / size + 1e-6 for one, hand, size in zip(place, hands, sizes, strict=True)]
        known = [centre_near(inside(one), size) for one, size in zip(moved, sizes, strict=True)]
        way = [(one - centre) * size for one, (_, centre), size in zip(place, known, sizes, strict=True)]
        (up, left), numbers = [pixel for pixel, _ in known], [*way, *(2 * cell / size * size for size in sizes)]
        unfolded = around[:, up : up + 3, left : left + 3].flatten()
        answers.append(perceptron(network, torch.cat([unfolded, torch.tensor(numbers).double()])))
        endless = [centre_near(one, size)[1] for one, size in zip(moved, sizes, strict=True)]
        sides = way if clamped_areas else [one - other for one, other in zip(place, endless, strict=True)]
        areas.append(abs(sides[0] * sides[1]) + 1e-9)
    return sum(answer * area for answer, area in zip(answers, areas[::-1], strict=True)) / sum(areas)


def perceptron(network, numbers):
    function = network.function
    first = torch.cat([function.around.weight.flatten(1), function.place.weight], 1)
    hidden = first @ numbers + function.around.bias
    for layer in function.layers[1::2]:
        hidden = layer.weight.flatten(1) @ hidden.relu() + layer.bias
    return hidden


def one_by_one(network, rows, columns, **settings):
    features = network.encoder(2 * IMAGES - 1)
    expected = torch.zeros(len(IMAGES), 3, len(rows), len(columns), dtype=torch.float64)
    for image, row, column in product(range(len(IMAGES)), range(len(rows)), range(len(columns))):
        found = colour(network, features[image], (rows[row].item(), columns[column].item()), **settings)
        expected[image, :, row, column] = found / 2 + 0.5
    return expected


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("cell", [1.0, 0.5])
@torch.no_grad()
def test_it_is_the_published_function_one_place_at_a_time(network, where, cell) -> None:
    expected = one_by_one(network, *PLACES[where], cell=cell)
    torch.testing.assert_close(network(IMAGES, PLACES[where], cell), expected, rtol=0, atol=1e-6)


@torch.no_grad()
def test_published_code_mixes_neighbours_on_the_last_row_and_column_alone(network) -> None:
    """It takes areas to the pixels that are there: all four vanish there, and weigh alike."""
    theirs = one_by_one(network, *PLACES["on the pixels"], clamped_areas=True)
    apart = (network(IMAGES) - theirs).abs()
    assert apart[:, :, :-1, :-1].max() < 1e-6
    assert apart[:, :, -1, :-1].max() > 1e-3
    assert apart[:, :, :-1, -1].max() > 1e-3


def test_unless_told_it_is_asked_on_the_pixels(network) -> None:
    assert torch.equal(network(IMAGES), network(IMAGES, PLACES["on the pixels"]))


def test_places_between_pixels_and_other_cells_have_answers_of_their_own(network) -> None:
    halves = torch.arange(0, HEIGHT - 0.5, 0.5).double(), torch.arange(0, WIDTH - 0.5, 0.5).double()
    finer = network(IMAGES, halves)
    assert finer.shape == (2, 3, 2 * HEIGHT - 1, 2 * WIDTH - 1)
    torch.testing.assert_close(finer[:, :, ::2, ::2], network(IMAGES))
    assert not torch.allclose(network(IMAGES, halves, 0.5), finer)


def test_the_answer_is_continuous_from_pixel_to_pixel(network) -> None:
    close = torch.tensor([0.5 - 1e-9, 0.5 + 1e-9, 1 - 1e-9, 1 + 1e-9]).double()
    found = network(IMAGES, (close, close))
    torch.testing.assert_close(found[:, :, ::2, ::2], found[:, :, 1::2, 1::2], rtol=0, atol=1e-7)


def test_the_defaults_have_as_many_weights_as_the_published_network() -> None:
    """EDSR: a head, 16 blocks of two convolutions and one more; the function sees 9 x 64 + 2 + 2 numbers."""
    convolution = 64 * 64 * 9 + 64
    features = 3 * 64 * 9 + 64 + (16 * 2 + 1) * convolution
    function = (580 * 256 + 256) + 3 * (256 * 256 + 256) + (256 * 3 + 3)
    assert sum(weight.numel() for weight in disco(3, 32).parameters()) == features + function


@pytest.mark.parametrize("settings", [{"blocks": 0}, {"hidden": ()}])
def test_a_network_without_blocks_or_hidden_layers_is_refused(settings) -> None:
    with pytest.raises(ValueError, match="disco needs a block and a hidden layer at least; got"):
        disco(3, 4, **settings)
