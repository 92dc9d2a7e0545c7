import pytest
import torch

from purigeom.geometry.matrices import Dense
from purigeom.geometry.spectrum.eigenvalues import leading_eigenvalues
from purigeom.noise import Noise
from tests.geometry.spectrum.manufactured import LARGE, Counted, Reflected, exponential, manufactured, power, reflected

SIZE = 64
NOISE = Noise(0, (3, 5))


def rotating(magnitudes, angles, seed=0, skew=0.0):
    """A matrix of the eigenvalues magnitude exp(+-i angle), normal unless skewed."""
    blocks = [
        m * torch.tensor([[a.cos(), -a.sin()], [a.sin(), a.cos()]]) for m, a in zip(magnitudes, angles, strict=True)
    ]
    matrix = torch.block_diag(*[block.double() for block in blocks])
    generator = torch.Generator().manual_seed(seed)
    basis, shear = torch.randn(2, len(matrix), len(matrix), generator=generator, dtype=torch.float64)
    frame = torch.linalg.qr(basis)[0] @ (torch.eye(len(matrix), dtype=torch.float64) + skew * shear.triu(1))
    return Dense((frame @ matrix @ torch.linalg.inv(frame))[None])


MAGNITUDES, ANGLES = exponential(SIZE // 2), torch.linspace(0.3, 2.5, SIZE // 2, dtype=torch.float64)


def by_magnitude(matrices):
    values = torch.linalg.eigvals(matrices.values)
    return values.gather(1, values.abs().argsort(dim=1, descending=True, stable=True))


def distances(values, truth):
    return (values.unsqueeze(-1) - truth.unsqueeze(-2)).abs().amin(-1)


def test_as_many_steps_as_columns_find_every_eigenvalue() -> None:
    matrices = manufactured(power(SIZE), images=2)
    found = leading_eigenvalues(matrices, NOISE, SIZE, SIZE + 9)
    truth = by_magnitude(matrices)
    torch.testing.assert_close(found.values.abs(), truth.abs(), rtol=1e-9, atol=1e-9)
    assert (distances(found.values, truth) < 1e-9).all()
    assert (distances(truth, found.values) < 1e-9).all()
    assert found.products == SIZE


@pytest.mark.parametrize("skew", [0.0, 0.05])
def test_leading_pairs_are_found_in_few_steps(skew) -> None:
    found = leading_eigenvalues(rotating(MAGNITUDES, ANGLES, skew=skew), NOISE[:1], 4, 28)
    truth = torch.polar(MAGNITUDES[:2], ANGLES[:2])
    expected = torch.stack([truth, truth.conj()], 1).flatten()
    torch.testing.assert_close(found.values[0], expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("steps", [6, 8, 12])
def test_residuals_bound_the_error_of_a_normal_matrix(steps) -> None:
    found = leading_eigenvalues(rotating(MAGNITUDES, ANGLES), NOISE[:1], 6, steps)
    truth = torch.polar(MAGNITUDES, ANGLES)
    errors = distances(found.values[0], torch.cat([truth, truth.conj()]))
    assert (errors <= found.residuals[0] + 1e-13).all()
    assert found.residuals.max() > 1e-6


def test_a_residual_is_a_distance_to_a_matrix_of_that_eigenvalue() -> None:
    matrices = rotating(MAGNITUDES, ANGLES, skew=0.1)
    found = leading_eigenvalues(matrices, NOISE[:1], 6, 12)
    shifted = matrices.values - found.values[0, :, None, None] * torch.eye(SIZE, dtype=torch.float64)
    assert (torch.linalg.svdvals(shifted)[:, -1] <= found.residuals[0] + 1e-13).all()


def test_a_large_symmetric_matrix_has_its_singular_values_as_eigenvalues() -> None:
    half = reflected(exponential(LARGE) ** 3, images=2)
    found = leading_eigenvalues(Reflected(half.spectrum, half.left, half.left), NOISE, 2, 60)
    torch.testing.assert_close(found.values.real, half.spectrum[:, :2], rtol=1e-4, atol=0)
    assert (found.values.imag == 0).all()


def test_repeated_eigenvalues_are_found_as_often_as_asked() -> None:
    """Every Krylov space of these matrices is exhausted after one or two steps."""
    frame = torch.linalg.qr(torch.randn(SIZE, SIZE, generator=torch.Generator().manual_seed(0), dtype=torch.float64))[0]
    projection = frame[:, :3] @ frame[:, :3].T
    matrices = Dense(torch.stack([torch.eye(SIZE, dtype=torch.float64), projection]))
    found = leading_eigenvalues(matrices, NOISE, 5, 12)
    expected = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], dtype=torch.complex128)
    torch.testing.assert_close(found.values, expected, rtol=0, atol=1e-12)
    assert (found.residuals < 1e-12).all()


def test_zero_and_defective_matrices_give_zeros() -> None:
    shift = torch.diag(torch.ones(SIZE - 1, dtype=torch.float64), 1)
    found = leading_eigenvalues(Dense(torch.stack([torch.zeros_like(shift), shift])), NOISE, 3, 10)
    assert (found.values[0] == 0).all()
    assert (found.residuals[0] == 0).all()
    assert found.values.isfinite().all()
    assert found.residuals.isfinite().all()
    nilpotent = torch.diag(torch.ones(1, dtype=torch.float64), SIZE - 1)
    assert leading_eigenvalues(Dense(nilpotent[None]), NOISE[:1], 3, 10).values.abs().max() < 1e-6


def test_eigenvalues_scale_and_turn_with_the_matrix() -> None:
    matrices = rotating(MAGNITUDES, ANGLES)
    once = leading_eigenvalues(matrices, NOISE[:1], 4, 20)
    often = leading_eigenvalues(Dense(1e-6 * matrices.values), NOISE[:1], 4, 20)
    torch.testing.assert_close(often.values, 1e-6 * once.values)
    torch.testing.assert_close(often.residuals, 1e-6 * once.residuals)


def test_an_image_s_eigenvalues_do_not_depend_on_the_batch() -> None:
    other = torch.eye(SIZE, dtype=torch.float64)
    matrices = Dense(torch.stack([other, manufactured(exponential(SIZE)).values[0]]))
    together = leading_eigenvalues(matrices, NOISE, 4, 30)
    alone = leading_eigenvalues(Dense(matrices.values[1:]), NOISE[1:], 4, 30)
    torch.testing.assert_close(together.values[1:], alone.values, rtol=1e-9, atol=0)


def test_single_precision_stays_single_and_pushes_are_counted() -> None:
    counted = Counted(Dense(manufactured(exponential(SIZE)).values.float()))
    found = leading_eigenvalues(counted, NOISE[:1], 3, 20)
    assert (found.values.dtype, found.residuals.dtype) == (torch.complex64, torch.float32)
    assert found.products == counted.products == 20


def test_a_matrix_that_is_not_square_is_named() -> None:
    with pytest.raises(ValueError, match="Only square matrices have eigenvalues; got 8 rows and 12 columns"):
        leading_eigenvalues(manufactured(power(8), columns=12), NOISE[:1], 2, 5)


@pytest.mark.parametrize("setting", [(0, 5), (6, 5), (9, 20)])
def test_impossible_counts_are_named(setting) -> None:
    with pytest.raises(ValueError, match="leading_eigenvalues needs a count"):
        leading_eigenvalues(manufactured(power(8)), NOISE[:1], *setting)
