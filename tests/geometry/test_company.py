"""Claims about numbers of images that do not depend on their company: however many others, and wherever they lie."""

import pytest
import torch

from purigeom.geometry.cloud import principal_shares
from purigeom.geometry.company import image_by_image, mean_over_points, multiplied
from purigeom.geometry.distances import l1, l2, psnr, ssim
from purigeom.geometry.gradients import cosine, pearson
from purigeom.geometry.margins import bend, downhill, moved_share, paired_changes, room
from purigeom.geometry.steadiness import correlations, mean_of_different, signal_to_noise

POINTS, IMAGES, SIDES = 8, 24, (1, 7, 9)
"""As many points as kernels sum in another order beside fewer columns, and pixels that fill no vector register."""
SIZES = (19, 7, 5, 3, 1)
NUMBERS = torch.rand(POINTS, IMAGES, *SIDES, generator=torch.Generator().manual_seed(0))
OTHERS = torch.rand(POINTS, IMAGES, *SIDES, generator=torch.Generator().manual_seed(1))

OF_PAIRS = {
    "l1": l1,
    "l2": l2,
    "psnr": psnr,
    "ssim": ssim,
    "cosine of gradients": cosine,
    "correlation of gradients": pearson,
}
OF_POINTS = {
    "shares of variance": principal_shares,
    "share that moves": moved_share,
    "signal to noise": signal_to_noise,
    "correlations": lambda points: correlations(points, points.flip(0)),
    "correlations of many pixels": lambda points: correlations(*(points.repeat(2, 1, 1, 1, 12) for _ in range(2))),
    "mean correlation": lambda points: mean_of_different(correlations(points, points)),
    "spread of margins": lambda points: changes(points).spread,
    "bend of margins": lambda points: bend(changes(points), torch.zeros(points.shape[1], dtype=torch.int64)),
    "mean over points": mean_over_points,
}


def changes(points):
    ends = points.flatten(2)[..., :10]
    return paired_changes(ends[0], ends, ends.flip(0))


@pytest.mark.parametrize("name", OF_PAIRS)
def test_a_number_of_two_images_is_the_same_whoever_stands_beside_them(name) -> None:
    whole = OF_PAIRS[name](NUMBERS[0], OTHERS[0])
    for size in SIZES:
        assert torch.equal(OF_PAIRS[name](NUMBERS[0, :size], OTHERS[0, :size]), whole[:size])


@pytest.mark.parametrize("name", OF_POINTS)
def test_a_number_of_points_around_an_image_is_the_same_whoever_stands_beside_it(name) -> None:
    whole = OF_POINTS[name](NUMBERS)
    for size in SIZES:
        assert torch.equal(OF_POINTS[name](NUMBERS[:, :size].contiguous()), whole[:size])


def test_without_it_a_sum_over_points_depends_on_how_many_images_there_are() -> None:
    numbers = NUMBERS.flatten(2)
    assert any(not torch.equal(numbers[:, :size].contiguous().mean(0), numbers.mean(0)[:size]) for size in SIZES)


def test_the_corner_where_a_margin_falls_most_is_the_same_whoever_stands_beside_it() -> None:
    odd, signs = NUMBERS.flatten(2)[..., 0], (OTHERS - 0.5).sign()
    for size in SIZES:
        assert torch.equal(downhill(odd[:, :size], signs[:, :size]), downhill(odd, signs)[:size])


def test_room_is_the_same_whoever_stands_beside_it() -> None:
    for size in SIZES:
        assert torch.equal(room(NUMBERS[0, :size], 0.3), room(NUMBERS[0], 0.3)[:size])


@pytest.mark.parametrize(("rows", "columns"), [(63, 8), (64, 20), (768, 20)])
@pytest.mark.parametrize("few", [1, 16])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_product_of_matrices_is_the_same_whoever_stands_beside_it(rows, columns, few, dtype) -> None:
    generator = torch.Generator().manual_seed(0)
    bases, vectors = (torch.rand(IMAGES, rows, count, generator=generator, dtype=dtype) for count in (columns, few))

    def projected(size: int) -> torch.Tensor:
        return multiplied(bases[:size].clone(), multiplied(bases[:size].clone().mT, vectors[:size].clone()))

    for size in SIZES:
        assert torch.equal(projected(size), projected(IMAGES)[:size])


def test_an_image_s_numbers_are_reduced_wherever_they_lie_in_memory() -> None:
    scattered = NUMBERS.permute(2, 3, 4, 0, 1).contiguous().permute(4, 3, 0, 1, 2)
    packed = scattered.contiguous()
    assert scattered.stride() != packed.stride()
    assert torch.equal(image_by_image(torch.sum, scattered), image_by_image(torch.sum, packed))


def test_of_no_images_there_are_no_numbers() -> None:
    assert l2(NUMBERS[0, :0], OTHERS[0, :0]).shape == (0,)
    assert mean_over_points(NUMBERS[:, :0]).shape == (0, *SIDES)
