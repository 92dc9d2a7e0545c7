import pytest
import torch

from purigeom.geometry.matrices import Dense
from purigeom.geometry.spectrum.bracket import count_bracket
from purigeom.geometry.spectrum.density import exact_density
from purigeom.geometry.spectrum.exact import singular_triplets
from purigeom.geometry.spectrum.gauss import quadrature
from purigeom.geometry.spectrum.lanczos import begun, bidiagonalised, leading_triplets, most_steps
from purigeom.noise import Noise
from tests.geometry.spectrum.manufactured import DECAYS, LARGE, Counted, manufactured, reflected

NOISE = Noise(0, (4, 9))
EYE = torch.eye


def identity(size, dtype=torch.float64):
    return EYE(size, dtype=dtype)


@pytest.mark.parametrize("block", [1, 3, 4])
def test_the_bases_are_orthonormal_and_reproduce_the_matrices(block) -> None:
    matrices = manufactured(DECAYS["power"](60), images=2)
    run = bidiagonalised(matrices, NOISE, 9, block)
    size = 9 * block
    for basis in (run.left, run.right):
        torch.testing.assert_close(basis.mT @ basis, identity(size).expand(2, -1, -1), rtol=0, atol=1e-12)
    torch.testing.assert_close(matrices.push(run.right), run.left @ run.middle, rtol=0, atol=1e-12)
    beyond = torch.zeros(2, 60, size, dtype=torch.float64)
    beyond[..., -block:] = run.following @ run.residual
    torch.testing.assert_close(matrices.pull(run.left), run.right @ run.middle.mT + beyond, rtol=0, atol=1e-12)


def test_each_step_costs_a_block_of_pushes_and_of_pulls() -> None:
    counted = Counted(manufactured(DECAYS["power"](40), images=2))
    run = bidiagonalised(counted, NOISE, 5, 4)
    assert counted.products == run.products == 2 * 4 * 5


@pytest.mark.parametrize("name", DECAYS)
@pytest.mark.parametrize("size", [64, 192])
def test_leading_triplets_are_those_of_the_dense_decomposition(name, size) -> None:
    matrices = manufactured(DECAYS[name](size), images=2)
    exact, found = singular_triplets(matrices), leading_triplets(bidiagonalised(matrices, NOISE, size // 4), 8)
    torch.testing.assert_close(found.values, exact.values[:, :8], rtol=1e-10, atol=0)
    overlap = (found.right * exact.right[..., :8]).sum(1).abs()
    torch.testing.assert_close(overlap, torch.ones_like(overlap), rtol=0, atol=1e-8)


@pytest.mark.parametrize("name", DECAYS)
def test_residuals_are_what_they_say_and_values_never_exceed_the_truth(name) -> None:
    spectrum = DECAYS[name](192)
    matrices = manufactured(spectrum, images=2)
    for steps in (2, 5, 10):
        found = leading_triplets(bidiagonalised(matrices, NOISE, steps), 6)
        actual = (matrices.pull(found.left) - found.right * found.values.unsqueeze(1)).norm(dim=1)
        torch.testing.assert_close(found.residuals, actual, rtol=1e-6, atol=1e-12)
        assert (found.values <= spectrum[:6] + 1e-12).all()


@pytest.mark.parametrize("name", DECAYS)
def test_large_matrices_yield_their_leading_values_from_two_hundred_products(name) -> None:
    spectrum = DECAYS[name](LARGE).float()
    found = leading_triplets(bidiagonalised(reflected(spectrum, images=2), NOISE, 26), 10)
    assert found.products == 208
    assert ((found.values / spectrum[:10] - 1).abs() < 1e-2).all()


def test_single_precision_keeps_the_bases_orthonormal() -> None:
    run = bidiagonalised(reflected(DECAYS["exponential"](LARGE).float(), images=2), NOISE, 20)
    assert (run.right.mT @ run.right - torch.eye(80)).abs().max() < 5e-6


@pytest.mark.parametrize(
    "matrix",
    [
        torch.zeros(20, 20),
        torch.eye(20),
        torch.diag(torch.tensor([3.0, 2.0] + [0.0] * 18)),
        torch.ones(20, 20),
        torch.randn(30, 12, generator=torch.Generator().manual_seed(0)),
    ],
    ids=["zero", "identity", "rank two", "rank one", "tall"],
)
def test_exhausted_spaces_break_nothing(matrix) -> None:
    matrices = Dense(matrix.double().expand(2, -1, -1))
    run = bidiagonalised(matrices, NOISE, 100)
    found = leading_triplets(run, min(matrix.shape))
    known = torch.linalg.svdvals(matrices.values)[:, : found.values.shape[1]]
    torch.testing.assert_close(found.values, known, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(run.left.mT @ run.left, identity(run.left.shape[2]).expand(2, -1, -1), atol=1e-8, rtol=0)


def test_a_run_holds_its_shorter_runs() -> None:
    matrices = manufactured(DECAYS["power"](50), images=2)
    shorter, longer = (bidiagonalised(matrices, NOISE, steps) for steps in (4, 7))
    for name in ("right", "left", "middle", "following", "residual"):
        torch.testing.assert_close(getattr(longer.after(4), name), getattr(shorter, name))
    assert longer.after(7) is longer


def test_an_image_s_run_does_not_depend_on_its_company() -> None:
    matrices = manufactured(DECAYS["power"](50), images=2)
    alone = bidiagonalised(Dense(matrices.values[1:]), Noise(0, (9,)), 6)
    torch.testing.assert_close(bidiagonalised(matrices, NOISE, 6).of_image(1).right, alone.right)


def test_scaling_scales_values_and_rotating_keeps_them() -> None:
    matrices = manufactured(DECAYS["power"](40), images=2)
    rotation = torch.linalg.qr(torch.randn(40, 40, generator=torch.Generator().manual_seed(1), dtype=torch.float64))[0]
    values = leading_triplets(bidiagonalised(matrices, NOISE, 6), 10).values
    scaled, rotated = Dense(-3 * matrices.values), Dense(rotation @ matrices.values)
    torch.testing.assert_close(leading_triplets(bidiagonalised(scaled, NOISE, 6), 10).values, 3 * values)
    torch.testing.assert_close(leading_triplets(bidiagonalised(rotated, NOISE, 6), 10).values, values)


def test_a_full_run_s_density_is_the_exact_one() -> None:
    spectrum = DECAYS["power"](64)
    run = bidiagonalised(manufactured(spectrum, images=2), NOISE, 16)
    assert most_steps(manufactured(spectrum), 4) == 16
    found, exact = quadrature(run), exact_density(spectrum.expand(2, -1))
    torch.testing.assert_close(found.nodes, exact.nodes)
    torch.testing.assert_close(found.weights, exact.weights)


def test_the_bracket_holds_the_count_and_closes_when_everything_is_known() -> None:
    spectrum = DECAYS["power"](96)
    matrices = manufactured(spectrum, images=2)
    true = int((spectrum > 0.25).sum())
    widths = []
    for steps in (2, 6, 12, 24):
        run = bidiagonalised(matrices, NOISE, steps)
        remainder = spectrum.square().sum() - run.middle.square().sum((1, 2))
        fewest, most = count_bracket(torch.linalg.svdvals(run.middle), remainder, 0.25, 96)
        assert (fewest <= true).all()
        assert (most >= true).all()
        widths.append(int((most - fewest).max()))
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] == 0


def test_a_block_that_does_not_fit_is_named() -> None:
    with pytest.raises(ValueError, match="must hold 1 to 3 vectors"):
        begun(Dense(torch.ones(2, 3, 5)), NOISE, 4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_bases_lose_nothing_of_matrices_whose_values_come_in_unequal_numbers(dtype) -> None:
    """As a median filter's Jacobian is: few distinct values, many copies of some, so that blocks run dry in part."""
    repeats = torch.tensor([1, 2, 3, 5, 7, 11, 13])
    spectrum = torch.repeat_interleave(torch.tensor([1.4, 1.2, 1.0, 0.8, 0.5, 0.3, 0.0]), repeats).double()
    matrices = Dense(manufactured(spectrum, images=3).values.to(dtype))
    for steps in range(1, most_steps(matrices, 4) + 1):
        run = bidiagonalised(matrices, Noise(0, (4, 9, 11)), steps)
        missed = (matrices.push(run.right) - run.left @ run.middle).flatten(1).norm(dim=1)
        assert (missed < 1e3 * torch.finfo(dtype).eps).all()
        assert (run.right.mT @ run.right - identity(4 * steps, dtype)).abs().max() < 1e3 * torch.finfo(dtype).eps
