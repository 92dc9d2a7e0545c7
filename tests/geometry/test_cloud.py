"""Principal shares of clouds whose shape is known."""

import numpy as np
import torch

from purigeom.geometry.cloud import participation, principal_shares

POINTS = torch.randn(9, 3, 1, 2, 2, generator=torch.Generator().manual_seed(0))


def test_shares_are_the_eigenvalues_of_numpy_s_covariance() -> None:
    shares = principal_shares(POINTS)
    for image in range(3):
        values = np.linalg.eigvalsh(np.cov(POINTS[:, image].flatten(1).double().numpy().T))[::-1]
        np.testing.assert_allclose(shares[image], values / values.sum())


def test_a_line_has_rank_one_and_an_isotropic_cloud_that_of_its_space() -> None:
    line = POINTS[:1] + torch.linspace(-1, 1, 9).reshape(-1, 1, 1, 1, 1)
    torch.testing.assert_close(participation(principal_shares(line)), torch.ones(3, dtype=torch.float64))
    ball = torch.randn(5000, 1, 1, 4, 4, generator=torch.Generator().manual_seed(1))
    np.testing.assert_allclose(participation(principal_shares(ball)), 16, rtol=0.02)


def test_few_points_see_fewer_directions_than_there_are() -> None:
    ball = torch.randn(32, 500, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    shares = principal_shares(ball)
    assert shares.shape == (500, 31)
    np.testing.assert_allclose(participation(shares).mean(), 32 * 64 / (32 + 64), rtol=0.05)


def test_points_that_coincide_have_no_shape() -> None:
    assert principal_shares(POINTS[:1].expand(9, -1, -1, -1, -1)).isnan().all()
