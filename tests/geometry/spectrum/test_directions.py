import pytest
import torch

from purigeom.geometry.matrices import Dense, orthonormal
from purigeom.geometry.spectrum.directions import alignment, compression_along, on_and_off, participation_ratio
from tests.geometry.spectrum.manufactured import Counted, manufactured, power

SIZE = 64


def random_bases(images, count, seed=0, size=SIZE):
    generator = torch.Generator().manual_seed(seed)
    return orthonormal(torch.randn(images, size, count, generator=generator, dtype=torch.float64))


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_equal_values_all_participate_at_any_scale(scale) -> None:
    values = scale * torch.tensor([[1.0, 1.0, 1.0, 1.0], [1.0, 0.0, 0.0, 0.0]])
    torch.testing.assert_close(participation_ratio(values), torch.tensor([4.0, 1.0]))


def test_participation_lies_between_one_and_the_number_of_values() -> None:
    values = power(SIZE)
    expected = values.square().sum() ** 2 / values.pow(4).sum()
    torch.testing.assert_close(participation_ratio(values), expected)
    assert 1 < expected < SIZE


def test_nothing_participates_in_a_zero_matrix() -> None:
    assert participation_ratio(torch.zeros(2, 5)).tolist() == [0, 0]


def test_a_space_aligns_with_itself_in_any_basis() -> None:
    basis = random_bases(3, 5)
    turned = basis @ random_bases(3, 5, seed=1, size=5)
    torch.testing.assert_close(alignment(basis, turned), torch.ones(3, dtype=torch.float64))
    assert (alignment(basis, turned) <= 1).all()


def test_perpendicular_spaces_do_not_align() -> None:
    unit = torch.eye(SIZE).expand(2, -1, -1)
    assert alignment(unit[..., :4], unit[..., 4:8]).tolist() == [0, 0]
    assert alignment(unit[..., :4], unit[..., 2:6]).tolist() == [0.5, 0.5]


def test_alignment_is_the_mean_squared_cosine_of_the_principal_angles() -> None:
    left, right = random_bases(2, 6), random_bases(2, 6, seed=1)
    cosines = torch.linalg.svdvals(left.mT @ right)
    torch.testing.assert_close(alignment(left, right), cosines.square().mean(1))


def test_unrelated_spaces_align_by_modes_over_dimension() -> None:
    found = alignment(random_bases(400, 8), random_bases(400, 8, seed=1)).mean().item()
    assert found == pytest.approx(8 / SIZE, rel=0.03)


def test_singular_spaces_align_as_far_as_a_matrix_is_symmetric() -> None:
    matrix = manufactured(power(SIZE), images=2).values
    for values, low, high in ((matrix @ matrix.mT, 0.999, 1), (matrix, 0, 0.5)):
        left, _, right = torch.linalg.svd(values)
        found = alignment(left[..., :5], right[:, :5].mT)
        assert ((found >= low) & (found <= high + 1e-12)).all()


def test_compression_along_singular_vectors_is_that_of_their_values() -> None:
    matrices = manufactured(power(SIZE), images=2, rows=SIZE + 3)
    right = torch.linalg.svd(matrices.values)[2].mT[..., 3:7]
    expected = power(SIZE)[3:7].square().mean().sqrt().expand(2)
    torch.testing.assert_close(compression_along(matrices, right), expected)


def test_compression_depends_on_the_space_and_not_its_basis() -> None:
    matrices, basis = manufactured(power(SIZE), images=2), random_bases(2, 5)
    turned = basis @ random_bases(2, 5, seed=1, size=5)
    torch.testing.assert_close(compression_along(matrices, basis), compression_along(matrices, turned))


def test_compression_on_and_off_a_space_is_that_on_it_and_on_its_complement() -> None:
    matrices = manufactured(power(SIZE), images=2, columns=SIZE + 5)
    everything = random_bases(2, SIZE + 5, size=SIZE + 5)
    overall = matrices.values.square().sum((1, 2)).div(SIZE + 5).sqrt()
    counted = Counted(matrices)
    found = on_and_off(counted, everything[..., :7], overall)
    torch.testing.assert_close(found.on, compression_along(matrices, everything[..., :7]))
    torch.testing.assert_close(found.off, compression_along(matrices, everything[..., 7:]))
    assert counted.products == 7


def test_an_underestimated_whole_leaves_nothing_rather_than_less() -> None:
    matrices = Dense(torch.diag(torch.tensor([1.0, 0.0, 0.0]))[None])
    assert on_and_off(matrices, torch.eye(3)[None, :, :1], torch.tensor([0.5])).off.tolist() == [0]


def test_stretch_scales_with_the_matrix() -> None:
    matrices, basis = manufactured(power(SIZE), images=2), random_bases(2, 3)
    overall = matrices.values.square().sum((1, 2)).div(SIZE).sqrt()
    once = on_and_off(matrices, basis, overall)
    often = on_and_off(Dense(-3 * matrices.values), basis, 3 * overall)
    torch.testing.assert_close((often.on, often.off), (3 * once.on, 3 * once.off))


def test_what_is_no_basis_of_the_columns_is_named() -> None:
    matrices = manufactured(power(SIZE), images=2)
    with pytest.raises(ValueError, match=r"of shape \(2, 64, vector\) for these matrices; got \(2, 63, 3\)"):
        compression_along(matrices, random_bases(2, 3, size=63))
    with pytest.raises(ValueError, match="must be orthonormal; products of its vectors are off by 3"):
        compression_along(matrices, 2 * random_bases(2, 3))
    with pytest.raises(ValueError, match="leaves nothing off it"):
        on_and_off(matrices, random_bases(2, SIZE), torch.ones(2, dtype=torch.float64))
    with pytest.raises(ValueError, match="same shape; got"):
        alignment(random_bases(2, 3), random_bases(2, 4))
