import pytest
import torch

from purigeom.geometry.matrices import Dense, normal_vectors
from purigeom.geometry.spectrum.density import exact_density
from purigeom.geometry.spectrum.quadrature import lanczos_quadrature
from purigeom.noise import Noise
from tests.geometry.spectrum.manufactured import DECAYS, LARGE, Counted, manufactured, power, reflected

SIZE = 96
NOISE = Noise(0, (3, 5))


def held(density):
    """The first image's nodes that have weight, with their weights."""
    counts = density.weights[0] > 0
    return density.nodes[0, counts], density.weights[0, counts]


def planted(*values: float) -> torch.Tensor:
    """As many of each value, as large a spectrum as SIZE allows."""
    return torch.tensor(sorted(values, reverse=True), dtype=torch.float64).repeat_interleave(SIZE // len(values))


def test_one_probe_s_rule_has_the_moments_that_gauss_promises() -> None:
    matrices = manufactured(power(SIZE))
    steps = 4
    rule = lanczos_quadrature(matrices, NOISE[:1], 1, steps)
    probe = normal_vectors(matrices, NOISE[:1], 1)
    product = probe / probe.norm()
    for degree in range(steps):
        even = (rule.weights * rule.nodes ** (4 * degree)).sum()
        torch.testing.assert_close(even, product.square().sum())
        pushed = matrices.push(product)
        odd = (rule.weights * rule.nodes ** (4 * degree + 2)).sum()
        torch.testing.assert_close(odd, pushed.square().sum())
        product = matrices.pull(pushed)


def test_all_steps_give_all_singular_values_in_the_probe_s_shares() -> None:
    matrices = manufactured(power(24))
    nodes, weights = held(lanczos_quadrature(matrices, NOISE[:1], 1, 24))
    _, values, right = torch.linalg.svd(matrices.values[0])
    shares = (right @ normal_vectors(matrices, NOISE[:1], 1)[0, :, 0]).square()
    torch.testing.assert_close(nodes, values.flip(0))
    torch.testing.assert_close(weights, (shares / shares.sum()).flip(0))


@pytest.mark.parametrize("decay", DECAYS)
def test_probes_see_the_density_of_a_large_matrix(decay) -> None:
    matrices = reflected(DECAYS[decay](LARGE), images=2)
    found, truth = lanczos_quadrature(matrices, NOISE, 8, 20), exact_density(matrices.spectrum)
    for threshold in (0.25, 0.5):
        torch.testing.assert_close(
            found.share_below(threshold), truth.share_below(threshold), rtol=0, atol=0.02, msg=str(threshold)
        )
    torch.testing.assert_close(found.root_mean_square(), truth.root_mean_square(), rtol=0.05, atol=0)


def test_the_error_falls_with_the_root_of_the_probes() -> None:
    """Every image is another draw: the spread of |J|_F^2 is sqrt(2 / (probes PR))."""
    images, spectrum = 300, power(64)
    matrices, noise = reflected(spectrum, images=images, reflections=0), Noise(1, tuple(range(images)))
    participation = spectrum.square().sum() ** 2 / spectrum.pow(4).sum()
    truth = spectrum.square().mean()
    for probes in (4, 16):
        squares = lanczos_quadrature(matrices, noise, probes, 2).root_mean_square().square()
        # of unit probes: less than that of normal ones, by what their length contributes
        expected = (2 / probes * (1 / participation - 1 / 64)).sqrt()
        assert abs(squares.mean() / truth - 1) < 4 * expected / images**0.5
        torch.testing.assert_close(squares.std() / truth, expected, rtol=0.2, atol=0)


@pytest.mark.parametrize("values", [(1.0,), (0.0,), (3.0, 1.0, 0.5), (2.0, 0.0)])
@pytest.mark.parametrize("steps", [1, 2, 10, SIZE + 10])
def test_few_distinct_values_exhaust_the_krylov_space_without_harm(values, steps) -> None:
    spectrum = planted(*values)
    density = lanczos_quadrature(manufactured(spectrum, images=2), NOISE, 3, steps)
    assert density.nodes.isfinite().all()
    torch.testing.assert_close(density.weights.sum(1), torch.ones(2, dtype=torch.float64))
    assert (density.nodes <= spectrum.max() + 1e-12).all()
    if steps >= len(values):
        nodes, _ = held(density)
        assert ((nodes.unsqueeze(1) - spectrum).abs().amin(1) < 1e-7).all()


def test_the_density_of_an_identity_is_a_step() -> None:
    density = lanczos_quadrature(Dense(torch.eye(SIZE).expand(2, -1, -1)), NOISE, 4, 10)
    assert torch.equal(density.share_below(0.999), torch.zeros(2))
    assert torch.equal(density.share_below(1.001), torch.ones(2))


def test_lost_directions_count_as_zeros() -> None:
    for matrices in (manufactured(planted(1.0, 0.0)), manufactured(planted(1.0)[: SIZE // 2], columns=SIZE)):
        density = lanczos_quadrature(matrices, NOISE[:1], 40, 60)
        torch.testing.assert_close(density.share_below(0.5).item(), 0.5, rtol=0, atol=0.05)
        torch.testing.assert_close(density.root_mean_square().item(), 0.5**0.5, rtol=0.05, atol=0)


def test_a_tall_matrix_counts_its_columns_alone() -> None:
    density = lanczos_quadrature(manufactured(planted(1.0), rows=2 * SIZE), NOISE[:1], 2, 5)
    torch.testing.assert_close(density.nodes[density.weights > 1e-9].min().item(), 1.0)


def test_probes_go_in_lockstep_and_save_the_last_pull() -> None:
    matrices = Counted(manufactured(power(SIZE)))
    lanczos_quadrature(matrices, NOISE[:1], 3, 5)
    assert (matrices.pushed, matrices.pulled) == ([3] * 5, [3] * 4)


@pytest.mark.parametrize(("rows", "columns", "pushes"), [(8, 8, 8), (12, 8, 8), (8, 12, 9)])
def test_no_products_are_spent_once_every_krylov_space_is_exhausted(rows, columns, pushes) -> None:
    matrices = Counted(manufactured(power(8), rows=rows, columns=columns))
    lanczos_quadrature(matrices, NOISE[:1], 2, 50)
    assert matrices.pushed == [2] * pushes


@pytest.mark.parametrize("factor", [1e-8, 1e8])
def test_nodes_scale_with_the_matrix(factor) -> None:
    matrices = manufactured(power(SIZE), images=2)
    once = lanczos_quadrature(matrices, NOISE, 3, 8)
    often = lanczos_quadrature(Dense(factor * matrices.values), NOISE, 3, 8)
    torch.testing.assert_close(often.nodes, factor * once.nodes, rtol=1e-8, atol=0)
    torch.testing.assert_close(often.weights, once.weights)


def test_an_image_s_density_does_not_depend_on_the_batch() -> None:
    matrices = manufactured(torch.stack([planted(1.0, 0.0), 5 * power(SIZE)]), images=2)
    together = lanczos_quadrature(matrices, NOISE, 3, 8)
    alone = lanczos_quadrature(Dense(matrices.values[1:]), NOISE[1:], 3, 8)
    torch.testing.assert_close(together.nodes[1:], alone.nodes, rtol=1e-10, atol=0)
    torch.testing.assert_close(together.weights[1:], alone.weights, rtol=1e-8, atol=1e-14)


def test_single_precision_finds_the_same_density() -> None:
    matrices = manufactured(power(SIZE), images=2)
    double, single = (
        lanczos_quadrature(Dense(values), NOISE, 4, 20) for values in (matrices.values, matrices.values.float())
    )
    assert single.nodes.dtype == torch.float32
    for threshold in (0.1, 0.25, 0.5):
        torch.testing.assert_close(
            single.share_below(threshold).double(), double.share_below(threshold), rtol=0, atol=5e-3
        )


@pytest.mark.parametrize("setting", [(0, 5), (5, 0)])
def test_no_probes_or_steps_are_named(setting) -> None:
    with pytest.raises(ValueError, match="at least one probe and one step; got"):
        lanczos_quadrature(manufactured(power(8)), NOISE[:1], *setting)
