import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from purigeom.geometry.compression import compression_ratio
from purigeom.geometry.displacement import Corners, Sphere, Towards, UniformBall, rescale
from purigeom.noise import Noise

IMAGES = torch.full((3, 2, 4, 4), 0.5)
NOISE = Noise(0, (1, 2, 3))


@given(scale=st.floats(0.01, 10), radius=st.floats(1e-3, 1))
def test_compression_of_a_scaling_is_its_scale(scale, radius) -> None:
    for displacement in (UniformBall(), Corners(), Sphere()):
        moved = displacement(NOISE, IMAGES.double(), radius)
        ratio = compression_ratio(lambda images: scale * images, IMAGES.double(), moved)
        torch.testing.assert_close(ratio, torch.full((3,), scale, dtype=torch.float64))


def test_displacements_have_their_radius() -> None:
    radius = 0.3
    ball, corners, sphere = (move(NOISE, IMAGES, radius).flatten(1) for move in (UniformBall(), Corners(), Sphere()))
    assert ball.abs().max() <= radius
    assert ball.abs().max() > 0.9 * radius
    assert torch.allclose(corners.abs(), torch.tensor(radius))
    torch.testing.assert_close(sphere.norm(dim=1), torch.full((3,), radius))


def test_the_expected_ratio_of_the_sphere_is_the_jacobian_s_rms() -> None:
    """E |Jd|^2 / |d|^2 = |J|_F^2 / dimension, here with a planted spectrum."""
    spectrum = torch.linspace(0, 1, 32)
    noise = Noise(0, (1,))
    ratios = torch.stack(
        [
            compression_ratio(
                lambda images: (images.flatten(1) * spectrum).reshape(images.shape),
                IMAGES[:1],
                Sphere()(noise.child(probe), IMAGES[:1], 0.1),
            )
            for probe in range(2000)
        ]
    )
    torch.testing.assert_close(ratios.square().mean(), spectrum.square().mean(), rtol=0.02, atol=0)


def test_a_given_direction_follows_the_image_it_was_given_for() -> None:
    directions = torch.arange(1.0, 4)[:, None, None, None].expand_as(IMAGES)
    towards = Towards("corner", directions, (1, 2, 3), norm="l2")
    together, alone = towards(NOISE, IMAGES, 0.5), towards(NOISE[2:], IMAGES[2:], 0.5)
    torch.testing.assert_close(alone, together[2:])
    torch.testing.assert_close(together.flatten(1).norm(dim=1), torch.full((3,), 0.5))
    with pytest.raises(ValueError, match=r"got none for \[7\]"):
        towards(Noise(0, (7,)), IMAGES[:1], 0.5)


def test_other_directions_are_another_content() -> None:
    one, other = (Towards("same", scale * IMAGES, (1, 2, 3)) for scale in (1, 2))
    assert one.content() != other.content()


def test_no_direction_goes_nowhere() -> None:
    assert not rescale(torch.zeros(2, 1, 2, 2), "linf", 1.0).any()
