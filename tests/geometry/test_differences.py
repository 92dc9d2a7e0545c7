import numpy as np
import pytest
import torch

from purigeom.geometry.agreement import agreement
from purigeom.geometry.chain import Chain
from purigeom.geometry.differences import Differences, difference_error
from purigeom.geometry.jacobian import Jacobian
from purigeom.geometry.matrices import normal_vectors
from purigeom.geometry.spectrum.exact import singular_values
from purigeom.noise import Noise

IDS = (3, 5, 8)
NOISE = Noise(0, IDS)
IMAGES = (1 + NOISE.uniform_like(torch.zeros(3, 1, 4, 4, dtype=torch.float64))) / 2
WEIGHT = torch.linspace(-1, 1, 256, dtype=torch.float64).reshape(16, 16).cos() / 8


def smooth(images):
    return torch.tanh(images.flatten(1) @ WEIGHT.to(images)).reshape(images.shape)


def black_box(images):
    """No torch at all: the numbers travel through numpy."""
    return torch.from_numpy(np.tanh(images.flatten(1).numpy() @ WEIGHT.numpy())).reshape(images.shape)


def half_detached(images):
    return smooth(images) + images.detach().square()


def through_numpy(images):
    return smooth(images) + torch.from_numpy(np.sin(images.detach().numpy())).to(images)


VECTORS = normal_vectors(Jacobian(smooth, IMAGES), NOISE, 4)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-8), (torch.float32, 2e-3)])
def test_differences_are_products_within_their_own_error(dtype, tolerance) -> None:
    images, vectors = IMAGES.to(dtype), VECTORS.to(dtype)
    exact = Jacobian(smooth, images).push(vectors)
    found, error = Differences(smooth, images).push_with_error(vectors)
    gap = (found - exact).norm(dim=1)
    assert (gap <= 2 * error).all()
    assert (error <= tolerance * vectors.norm(dim=1)).all()


def test_a_black_box_has_a_spectrum_as_exact_as_its_error_says() -> None:
    differences = Differences(black_box, IMAGES)
    exact = singular_values(Jacobian(smooth, IMAGES))
    bound = difference_error(differences, NOISE)[:, None] * exact.norm(dim=1, keepdim=True)
    assert ((singular_values(differences) - exact).abs() <= 2 * bound).all()
    assert bound.max() < 1e-7


def test_a_black_box_cannot_be_pulled_and_says_what_can_be_done() -> None:
    with pytest.raises(TypeError, match="exact and"):
        Differences(black_box, IMAGES).pull(VECTORS)


def test_a_map_to_fewer_numbers_has_a_rectangular_jacobian() -> None:
    def fewer(images):
        return smooth(images).flatten(1)[:, :5]

    differences = Differences(fewer, IMAGES)
    assert differences.shape == (3, 5, 16)
    torch.testing.assert_close(singular_values(differences), singular_values(Jacobian(fewer, IMAGES)))
    assert not agreement(Jacobian(fewer, IMAGES), NOISE).fault


@pytest.mark.parametrize("step", [0, 0.0, -1e-3, float("nan"), float("inf")])
def test_a_step_that_is_no_length_is_refused(step) -> None:
    with pytest.raises(ValueError, match=rf"Differences.step must be a length above zero, .*got {step}"):
        Differences(smooth, IMAGES, step)


def test_no_images_are_refused() -> None:
    with pytest.raises(ValueError, match="needs at least one image"):
        Differences(smooth, IMAGES[:0])


def test_products_scale_with_their_vectors_and_vanish_with_them() -> None:
    differences = Differences(smooth, IMAGES)
    torch.testing.assert_close(differences.push(1000 * VECTORS), 1000 * differences.push(VECTORS))
    assert not differences.push(torch.zeros_like(VECTORS)).any()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_a_smooth_map_agrees_with_itself(dtype) -> None:
    found = agreement(Jacobian(Chain((smooth, smooth)), IMAGES.to(dtype)), NOISE)
    assert not found.fault
    assert found.adjoint_gap.shape == (3,)


@pytest.mark.parametrize("leaving", [half_detached, through_numpy, torch.round], ids=lambda one: one.__name__)
def test_a_map_that_leaves_the_graph_is_found_out(leaving) -> None:
    images = IMAGES * 3 if leaving is torch.round else IMAGES
    jacobian = Jacobian(Chain((lambda state: state + 0, leaving)), images)
    if leaving is torch.round:  # its differences vanish like its derivative, except across a step
        assert not agreement(jacobian, NOISE).stretch.any()
    else:
        assert "leaves the graph" in agreement(jacobian, NOISE).fault


@pytest.mark.parametrize("size", [4, 64])
def test_a_map_without_a_graph_is_found_out_whatever_its_size(size) -> None:
    images = NOISE.uniform_like(torch.zeros(3, 1, size, size))
    found = agreement(Jacobian(torch.no_grad()(torch.sin), images), NOISE)
    assert (found.adjoint_gap > 0.5).all()
    assert "pushed and pulled" in found.fault


def test_a_backward_that_is_not_the_forward_s_is_found_out() -> None:
    class Doubled(torch.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(images):
            return images.clone()

        @staticmethod
        def setup_context(ctx, inputs, output):
            pass

        @staticmethod
        def backward(ctx, cotangents):
            return 2 * cotangents

        @staticmethod
        def jvp(ctx, tangents):
            return tangents.clone()

    assert "pushed and pulled" in agreement(Jacobian(Doubled.apply, IMAGES), NOISE).fault
