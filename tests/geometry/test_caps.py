"""Shares of spheres beyond hyperplanes, against closed forms and random directions."""

import math

import pytest
import torch

from purigeom.geometry.caps import cap_distance, cap_share
from purigeom.noise import Noise

DISTANCES = torch.linspace(-0.999, 0.999, 41, dtype=torch.float64)


def test_a_circle_s_share_is_an_angle_and_a_ball_s_is_a_height() -> None:
    """In two dimensions arccos(h) / pi, in three Archimedes' (1 - h) / 2."""
    torch.testing.assert_close(cap_share(3 * DISTANCES, 3.0, 2), DISTANCES.acos() / math.pi)
    torch.testing.assert_close(cap_share(3 * DISTANCES, 3.0, 3), (1 - DISTANCES) / 2)


def test_random_directions_agree() -> None:
    count, dimensions = 20000, 12
    directions = Noise(0, tuple(range(count))).normal_like(torch.empty(count, dimensions, dtype=torch.float64))
    cosines = directions[:, 0] / directions.norm(dim=1)
    for distance in (-0.3, 0.1, 0.4):
        share = cap_share(torch.tensor([distance], dtype=torch.float64), 1.0, dimensions).item()
        error = math.sqrt(share * (1 - share) / count)
        assert abs((cosines > distance).double().mean().item() - share) < 4 * error


@pytest.mark.parametrize("dimensions", [2, 3, 64, 3072])
def test_distance_and_share_are_inverse(dimensions) -> None:
    distances = DISTANCES * min(1, 4 / math.sqrt(dimensions))  # beyond, one less a share is lost in rounding
    torch.testing.assert_close(cap_distance(cap_share(2 * distances, 2.0, dimensions), 2.0, dimensions), 2 * distances)


def test_what_no_sphere_reaches_has_no_share() -> None:
    far = torch.tensor([1.5, torch.inf, -1.5, -torch.inf])
    assert cap_share(far, 1.0, 5).tolist() == [0, 0, 1, 1]
    assert cap_distance(torch.tensor([0.0, 1.0]), 3.0, 5).tolist() == [3, -3]


def test_wrong_settings_are_named() -> None:
    with pytest.raises(ValueError, match="radius above zero"):
        cap_share(DISTANCES, 0.0, 3)
    with pytest.raises(ValueError, match="2 dimensions or more"):
        cap_share(DISTANCES, 1.0, 1)
    with pytest.raises(ValueError, match=r"shares between 0 and 1; got -0\.1 to 0\.5"):
        cap_distance(torch.tensor([-0.1, 0.5]), 1.0, 3)
