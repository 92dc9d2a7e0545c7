import pytest
import torch

from purigeom.geometry.matrices import orthonormal
from purigeom.geometry.spectrum.directions import alignment
from purigeom.geometry.tangents import tangents
from purigeom.images import Digits

GENERATOR = torch.Generator().manual_seed(0)
FRAME = orthonormal(torch.randn(1, 48, 3, generator=GENERATOR, dtype=torch.float64))[0]


def plane(count, seed=0):
    """Images on a plane of two dimensions, more spread along the first."""
    coordinates = torch.randn(count, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return ((coordinates * torch.tensor([2.0, 1.0])) @ FRAME[:, :2].T + 5).reshape(count, 3, 4, 4)


def test_tangents_of_a_plane_are_its_directions() -> None:
    basis = tangents(plane(7, seed=1), plane(200), count=2, neighbours=12)
    torch.testing.assert_close(basis.mT @ basis, torch.eye(2, dtype=torch.float64).expand(7, -1, -1))
    torch.testing.assert_close(alignment(basis, FRAME[:, :2].expand(7, -1, -1)), torch.ones(7, dtype=torch.float64))


def test_the_direction_of_largest_variance_comes_first() -> None:
    basis = tangents(plane(1, seed=1), plane(200), count=2, neighbours=200)
    assert (basis[0].T @ FRAME[:, :2]).diagonal().abs().min() > 0.98


def test_tangents_of_a_circle_turn_with_the_place() -> None:
    angles = torch.linspace(0, 2 * torch.pi, 201, dtype=torch.float64)[:-1]
    circle = torch.stack([angles.cos(), angles.sin()], 1)
    basis = tangents(circle, circle, count=1, neighbours=6)[..., 0]
    along = torch.stack([-angles.sin(), angles.cos()], 1)
    assert ((basis * along).sum(1).abs() > 0.9999).all()


def test_an_image_and_its_copies_are_not_neighbours_of_themselves() -> None:
    """In single precision too, where distances by inner products would not be zero."""
    others = plane(60, seed=2).float()
    images = others[:4]
    without = torch.stack(
        [tangents(images[place : place + 1], others[torch.arange(60) != place], 2, 9)[0] for place in range(4)]
    )
    assert torch.equal(tangents(images, others, 2, 9), without)
    assert torch.equal(tangents(images, torch.cat([others, images]), 2, 9)[:1], tangents(images[:1], others, 2, 9))


def test_an_image_s_tangents_do_not_depend_on_the_batch() -> None:
    images = plane(5, seed=3)
    together = tangents(images, plane(50), 2, 8)
    alone = torch.cat([tangents(image[None], plane(50), 2, 8) for image in images])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-12)


def test_tangents_do_not_depend_on_where_zero_is_or_on_the_unit() -> None:
    images, others = plane(5, seed=3), plane(50)
    moved = tangents(1e-3 * images + 7, 1e-3 * others + 7, 2, 8)
    torch.testing.assert_close(alignment(moved, tangents(images, others, 2, 8)), torch.ones(5, dtype=torch.float64))


def test_digits_vary_along_their_tangents() -> None:
    """A held-out digit's next neighbour lies more along eight tangents than along eight directions of 64."""
    images, others = Digits()[:40].load().images, Digits("train").load().images
    basis = tangents(images, others, 8, 24)
    distances = torch.cdist(images.flatten(1), others.flatten(1))
    step = others.flatten(1)[distances.argmin(1)] - images.flatten(1)
    kept = (basis.mT @ step.unsqueeze(-1)).square().sum((1, 2)) / step.square().sum(1)
    assert basis.dtype == images.dtype
    assert kept.mean() > 2 * 8 / 64


def test_too_few_neighbours_or_directions_are_named() -> None:
    images, others = plane(3, seed=1), plane(10)
    with pytest.raises(ValueError, match="needs 11 neighbours of every image; got 10 other images"):
        tangents(images, others, 2, 11)
    with pytest.raises(ValueError, match="needs 10 neighbours of every image; got 9 other images"):
        tangents(others[:1], others, 2, 10)
    with pytest.raises(ValueError, match="in place 0 span fewer than 3 directions"):
        tangents(images, others, 3, 8)
    with pytest.raises(ValueError, match="count from 1 to fewer than the neighbours, 4; got 4"):
        tangents(images, others, 4, 4)
    with pytest.raises(ValueError, match=r"shape of the images, \(3, 4, 4\); got \(2, 4\)"):
        tangents(images, torch.rand(9, 2, 4), 1, 4)
