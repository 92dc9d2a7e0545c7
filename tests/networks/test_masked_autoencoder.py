"""Claims about patches and the transformer that answers for all of them when it sees some."""

import pytest
import torch

from purigeom.networks.masked_autoencoder import masked_autoencoder
from purigeom.networks.vision_transformer import blocks, images_of, patches, positions
from purigeom.noise import Noise
from tests.networks.small import built

IMAGES = torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
NOISE = Noise(0, (3, 7, 9))


@pytest.fixture
def network():
    return built("masked autoencoder").double().eval()


@pytest.mark.parametrize(("channels", "size", "patch"), [(1, 8, 2), (3, 6, 3), (2, 4, 4)])
def test_images_cut_into_patches_and_put_together_again_are_themselves(channels, size, patch) -> None:
    images = torch.rand(2, channels, size, size)
    pieces = patches(images, patch)
    assert pieces.shape == (2, (size // patch) ** 2, channels * patch**2)
    assert torch.equal(images_of(pieces, channels, patch), images)


def test_patches_are_squares_of_the_image_row_by_row() -> None:
    images = torch.rand(1, 3, 6, 6)
    for place, piece in enumerate(patches(images, 2)[0]):
        row, column = 2 * (place // 3), 2 * (place % 3)
        assert torch.equal(piece, images[0, :, row : row + 2, column : column + 2].flatten())


def test_every_place_has_a_code_of_its_own() -> None:
    code = positions(4, 8)
    assert code.shape == (16, 8)
    apart = torch.cdist(code, code) + torch.eye(16)
    assert apart.min() > 0.1


def test_where_everything_is_visible_it_does_not_matter_in_which_order(network) -> None:
    shuffled = torch.stack([torch.randperm(16, generator=torch.Generator().manual_seed(seed)) for seed in range(3)])
    torch.testing.assert_close(network(IMAGES, shuffled), network(IMAGES))


def test_what_is_hidden_has_no_influence_and_what_is_visible_has(network) -> None:
    visible = network.drawn(NOISE, IMAGES, 0.5)
    seen = torch.zeros(3, 16, dtype=torch.bool).scatter(1, visible, True)
    answer, pieces = network(IMAGES, visible), patches(IMAGES, 2)
    for chosen, changes in ((~seen, False), (seen, True)):
        other = images_of(torch.where(chosen[..., None], 1 - pieces, pieces), 1, 2)
        assert torch.equal(network(other, visible), answer) != changes


def test_hidden_patches_are_answered_each_by_its_place(network) -> None:
    first = torch.zeros(3, 1, dtype=torch.int64)
    answered = patches(network(IMAGES, first), 2)
    assert answered.shape == (3, 16, 4)
    assert torch.cdist(answered[0, 1:], answered[0, 1:]).add(torch.eye(15)).min() > 1e-4


@pytest.mark.parametrize(("ratio", "kept"), [(0.5, 8), (0.75, 4), (0.26, 12), (0.999, 1)])
def test_a_share_of_the_patches_is_hidden_but_never_all(network, ratio, kept) -> None:
    visible = network.drawn(NOISE, IMAGES, ratio)
    assert visible.shape == (3, kept)
    assert all(len(set(row.tolist())) == kept for row in visible)


def test_nothing_is_drawn_where_nothing_is_hidden(network) -> None:
    assert network.drawn(NOISE, IMAGES, 0.0) is None


def test_masks_belong_to_images_and_not_to_batches(network) -> None:
    together, alone = network.drawn(NOISE, IMAGES, 0.5), network.drawn(NOISE[1:2], IMAGES[1:2], 0.5)
    assert torch.equal(together[1:2], alone)
    assert len({tuple(sorted(row.tolist())) for row in together}) == 3


def test_every_patch_is_hidden_as_often_as_any_other(network) -> None:
    """Of 4,000 masks half hide each of 16 patches: 2,000, whose standard deviation is 32."""
    many = torch.zeros(4000, 1, 8, 8)
    counts = network.drawn(Noise(0, tuple(range(4000))), many, 0.5).flatten().bincount(minlength=16)
    assert (counts - 2000).abs().max() < 4 * 32


def test_sizes_that_do_not_divide_are_named() -> None:
    with pytest.raises(ValueError, match="size 8 and patches of 3"):
        masked_autoencoder(1, 8, 3, (8, 1, 2), (8, 1, 2))
    with pytest.raises(ValueError, match="width 8 and 3 heads"):
        blocks(8, 1, 3)
