"""Laws that Jacobians of any maps keep, on random ones; and every method beside the dense answer, on purifiers."""

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings

from purigeom.catalog import BASELINES, DIGITS_DIFFUSION
from purigeom.geometry.chain import Chain
from purigeom.geometry.jacobian import Jacobian
from purigeom.geometry.matrices import normal_vectors
from purigeom.geometry.spectrum.adaptive import Tolerance, partial_spectrum
from purigeom.geometry.spectrum.eigenvalues import leading_eigenvalues
from purigeom.geometry.spectrum.exact import dense, singular_values
from purigeom.geometry.spectrum.hutchinson import root_mean_square
from purigeom.geometry.spectrum.quadrature import lanczos_quadrature
from purigeom.geometry.spectrum.randomised import randomised_triplets
from purigeom.images import Digits
from purigeom.noise import Noise

BATCH = Digits()[:2].load()
DOUBLES = BATCH.images.double()
NOISE = Noise(0, BATCH.image_ids)
SEEDS = st.integers(0, 2**20)
SMOOTH = ("digits-ddpm", "digits-one-shot", "jpeg", "gaussian-blur")
quickly = settings(max_examples=15, deadline=None, derandomize=True)
KNOWN = {**BASELINES, **DIGITS_DIFFUSION}


def smooth(seed):
    generator = torch.Generator().manual_seed(seed)
    first, second = torch.randn(2, 9, 9, generator=generator, dtype=torch.float64) / 3
    return lambda state: (torch.tanh(state.flatten(1) @ first) @ second).reshape(state.shape)


def images(seed):
    return torch.rand(3, 1, 3, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def matrix(image_map, where):
    return dense(Jacobian(image_map, where)).values


@quickly
@given(SEEDS, SEEDS)
def test_the_jacobian_of_a_chain_is_the_product_of_its_steps(first, second) -> None:
    start, then, where = smooth(first), smooth(second), images(first)
    expected = matrix(then, start(where)) @ matrix(start, where)
    torch.testing.assert_close(matrix(Chain((start, then)), where), expected)


@quickly
@given(SEEDS, st.floats(-5, 5))
def test_scaling_a_map_scales_its_singular_values(seed, factor) -> None:
    image_map, where = smooth(seed), images(seed)
    scaled = singular_values(Jacobian(lambda state: factor * image_map(state), where))
    torch.testing.assert_close(scaled, abs(factor) * singular_values(Jacobian(image_map, where)))


@quickly
@given(SEEDS)
def test_orthogonal_maps_before_and_after_change_no_singular_value(seed) -> None:
    image_map, where = smooth(seed), images(seed)
    turned = Chain((lambda state: state.flip(-1), image_map, lambda state: -state.transpose(-1, -2)))
    torch.testing.assert_close(
        singular_values(Jacobian(turned, where.flip(-1))), singular_values(Jacobian(image_map, where))
    )


@quickly
@given(SEEDS)
def test_products_are_linear_and_adjoint(seed) -> None:
    jacobian = Jacobian(Chain((smooth(seed), smooth(seed + 1))), images(seed))
    noise = Noise(seed, (1, 2, 3))
    left, right, other = (normal_vectors(jacobian, noise.child(name), 2) for name in ("left", "right", "other"))
    torch.testing.assert_close(jacobian.push(2 * left - right), 2 * jacobian.push(left) - jacobian.push(right))
    pushed, pulled = jacobian.push(left), jacobian.pull(other)
    torch.testing.assert_close((other * pushed).sum(1), (pulled * left).sum(1), rtol=1e-12, atol=1e-12)


def jacobian_of(name):
    return Jacobian(KNOWN[name].pin(NOISE, (1, 8, 8)), DOUBLES)


@pytest.mark.parametrize("name", SMOOTH)
def test_every_method_agrees_with_the_dense_spectrum(name) -> None:
    jacobian = jacobian_of(name)
    full = dense(jacobian)
    exact = singular_values(full)
    torch.testing.assert_close(exact, torch.linalg.svdvals(_by_pulling(jacobian)), rtol=0, atol=1e-12)
    found = partial_spectrum(jacobian, NOISE, Tolerance(count=6))
    assert found.leading.met.all()
    torch.testing.assert_close(found.leading.value, exact[:, :6], rtol=1e-3, atol=0)
    norm, share = exact.square().mean(1).sqrt(), (exact < 0.25).double().mean(1)
    torch.testing.assert_close(found.root_mean_square.value, norm, rtol=0.03, atol=0)
    assert ((found.share.value - share).abs() <= 3 * found.share.error + 1e-9).all()
    randomised = randomised_triplets(full, NOISE, 6, powers=6).values
    torch.testing.assert_close(randomised, exact[:, :6], rtol=2e-2, atol=0)
    hutchinson = root_mean_square(full, NOISE, tolerance=0.02)
    assert ((hutchinson.value - norm).abs() <= 2 * hutchinson.error).all()
    density = lanczos_quadrature(full, NOISE, probes=16, steps=20)
    torch.testing.assert_close(density.root_mean_square(), norm, rtol=0.15, atol=0)
    magnitudes = torch.linalg.eigvals(full.values).abs().sort(1, descending=True).values[:, 0]
    torch.testing.assert_close(
        leading_eigenvalues(full, NOISE, 1, 40).values.abs()[:, 0], magnitudes, rtol=1e-3, atol=0
    )


def _by_pulling(jacobian):
    size = jacobian.shape[1]
    return jacobian.pull(torch.eye(size, dtype=torch.float64).expand(len(DOUBLES), -1, -1))


@pytest.mark.parametrize("name", KNOWN)
def test_push_and_pull_of_every_purifier_are_adjoint_to_rounding(name) -> None:
    jacobian = jacobian_of(name)
    tangents, cotangents = (normal_vectors(jacobian, NOISE.child(word), 3) for word in ("tangent", "cotangent"))
    pushed, pulled = jacobian.push(tangents), jacobian.pull(cotangents)
    gap = ((cotangents * pushed).sum(1) - (pulled * tangents).sum(1)).abs()
    assert (gap <= 1e-12 * cotangents.norm(dim=1) * tangents.norm(dim=1)).all()


@pytest.mark.parametrize("name", ["digits-ddpm", "total-variation", "median"])
def test_an_image_s_products_do_not_depend_on_its_company(name) -> None:
    vectors = normal_vectors(jacobian_of(name), NOISE, 3)
    alone = Jacobian(KNOWN[name].pin(NOISE[1:], (1, 8, 8)), DOUBLES[1:])
    torch.testing.assert_close(alone.push(vectors[1:]), jacobian_of(name).push(vectors)[1:], rtol=0, atol=1e-12)
    torch.testing.assert_close(alone.pull(vectors[1:]), jacobian_of(name).pull(vectors)[1:], rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", KNOWN)
def test_no_catalogued_step_is_differentiated_as_a_whole(name) -> None:
    assert not [route.whole for route in jacobian_of(name).routes if route.whole]
