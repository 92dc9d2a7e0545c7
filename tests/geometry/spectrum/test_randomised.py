import pytest
import torch

from purigeom.geometry.matrices import Dense
from purigeom.geometry.spectrum.randomised import randomised_triplets
from purigeom.noise import Noise
from tests.geometry.spectrum.manufactured import DECAYS, LARGE, Counted, exponential, manufactured, power, reflected

SIZE = 96
NOISE = Noise(0, (3, 5))


def padded(*values: float) -> torch.Tensor:
    return torch.tensor([*values, *[0.0] * (SIZE - len(values))], dtype=torch.float64)


@pytest.mark.parametrize("decay", DECAYS)
def test_many_powers_find_the_singular_triplets(decay) -> None:
    matrices = manufactured(DECAYS[decay](SIZE), images=2)
    found = randomised_triplets(matrices, NOISE, 5, powers=40)
    left, values, right = torch.linalg.svd(matrices.values)
    torch.testing.assert_close(found.values, values[:, :5])
    torch.testing.assert_close(found.left @ found.right.mT, left[..., :5] @ right[:, :5])


@pytest.mark.parametrize("decay", DECAYS)
@pytest.mark.parametrize("rows", [SIZE, SIZE + 40])
@pytest.mark.parametrize("columns", [SIZE, SIZE + 40])
def test_values_are_lower_bounds_and_near_a_singular_value(decay, rows, columns) -> None:
    spectrum = DECAYS[decay](SIZE)
    matrices = manufactured(spectrum, images=2, rows=rows, columns=columns)
    for powers in (0, 1, 2):
        found = randomised_triplets(matrices, NOISE, 10, powers=powers)
        assert (found.values <= spectrum[:10] + 1e-14).all()
        assert ((found.values.unsqueeze(-1) - spectrum).abs().amin(-1) <= found.residuals + 1e-14).all()


def test_residuals_and_vectors_are_what_they_say() -> None:
    matrices = manufactured(power(SIZE), images=2, rows=SIZE + 10)
    found = randomised_triplets(matrices, NOISE, 6, powers=1)
    scaled_left, scaled_right = (side * found.values.unsqueeze(1) for side in (found.left, found.right))
    torch.testing.assert_close(matrices.push(found.right), scaled_left, rtol=0, atol=1e-14)
    torch.testing.assert_close(found.residuals, (matrices.pull(found.left) - scaled_right).norm(dim=1))
    assert (found.residuals > 1e-6).all()
    for side in (found.left, found.right):
        torch.testing.assert_close(side.mT @ side, torch.eye(6, dtype=torch.float64).expand(2, -1, -1))


def test_powers_and_oversampling_sharpen() -> None:
    matrices = manufactured(power(SIZE), images=2)
    settings = [(0, 0), (10, 0), (10, 1), (10, 3), (40, 3)]
    worst = [randomised_triplets(matrices, NOISE, 5, *setting).residuals.max() for setting in settings]
    assert worst == sorted(worst, reverse=True)


def test_products_are_counted() -> None:
    matrices = Counted(manufactured(power(SIZE)))
    found = randomised_triplets(matrices, NOISE[:1], 5, oversampling=7, powers=2)
    assert found.products == matrices.products == 6 * 12 + 5


def test_a_large_matrix_needs_only_products() -> None:
    matrices = reflected(exponential(LARGE), images=2)
    found = randomised_triplets(matrices, NOISE, 3, oversampling=20, powers=12)
    left, right = matrices.singular_vectors(1)
    torch.testing.assert_close(found.values, matrices.spectrum[:, :3], rtol=1e-3, atol=0)
    for side, truth in ((found.left, left), (found.right, right)):
        assert ((side[..., :1] * truth).sum(1).abs() > 0.99).all()


@pytest.mark.parametrize("values", [(), (1.0,), (3.0, 3.0, 3.0), (2.0, 1.0)], ids=["zero", "one", "three", "two"])
def test_a_matrix_of_low_rank_is_found_exactly(values) -> None:
    spectrum = padded(*values)
    found = randomised_triplets(manufactured(spectrum, images=2), NOISE, 5)
    torch.testing.assert_close(found.values, spectrum[:5].expand(2, -1), rtol=0, atol=1e-13)
    assert (found.residuals < 1e-13).all()


def test_all_triplets_of_a_small_matrix_are_exact() -> None:
    spectrum = power(8)
    for rows, columns in ((8, 20), (20, 8)):
        found = randomised_triplets(manufactured(spectrum, rows=rows, columns=columns), NOISE[:1], 8, powers=0)
        torch.testing.assert_close(found.values, spectrum.unsqueeze(0))


def test_values_scale_with_the_matrix() -> None:
    matrices = manufactured(power(SIZE), images=2)
    once = randomised_triplets(matrices, NOISE, 4)
    often = randomised_triplets(Dense(-1e-6 * matrices.values), NOISE, 4)
    torch.testing.assert_close(often.values, 1e-6 * once.values, rtol=1e-9, atol=0)
    torch.testing.assert_close(often.residuals, 1e-6 * once.residuals, rtol=1e-6, atol=0)


def test_an_image_s_triplets_do_not_depend_on_the_batch() -> None:
    matrices = manufactured(torch.stack([power(SIZE), 5 * exponential(SIZE)]), images=2)
    together = randomised_triplets(matrices, NOISE, 4)
    alone = randomised_triplets(Dense(matrices.values[1:]), NOISE[1:], 4)
    torch.testing.assert_close(together.values[1:], alone.values, rtol=1e-12, atol=0)
    torch.testing.assert_close(together.residuals[1:], alone.residuals, rtol=1e-8, atol=1e-14)


def test_single_precision_stays_single() -> None:
    matrices = manufactured(exponential(SIZE), images=2)
    single = randomised_triplets(Dense(matrices.values.float()), NOISE, 4)
    assert {single.left.dtype, single.values.dtype, single.residuals.dtype} == {torch.float32}
    torch.testing.assert_close(
        single.values.double(), randomised_triplets(matrices, NOISE, 4).values, rtol=0, atol=1e-5
    )


@pytest.mark.parametrize("setting", [(0,), (SIZE + 1,), (3, -1), (3, 0, -1)])
def test_impossible_settings_are_named(setting) -> None:
    with pytest.raises(ValueError, match=r"randomised_triplets needs .*; got"):
        randomised_triplets(manufactured(power(SIZE)), NOISE[:1], *setting)
