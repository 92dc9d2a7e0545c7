"""Correlations and signal-to-noise ratios of displacements, against numpy and where they are known."""

import numpy as np
import torch

from purigeom.geometry.steadiness import correlations, mean_of_different, mean_of_same, signal_to_noise

ONE, OTHER = (torch.randn(4, 3, 1, 5, 5, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))


def test_correlations_are_numpy_s_image_by_image() -> None:
    found = correlations(ONE, OTHER)
    for image in range(3):
        expected = np.corrcoef(ONE[:, image].flatten(1).double(), OTHER[:, image].flatten(1).double())[:4, 4:]
        np.testing.assert_allclose(found[image], expected)


def test_pairs_of_the_same_and_of_different_points_are_averaged_apart() -> None:
    pairs = torch.tensor([[[1.0, 0.2, 0.4], [0.6, 2.0, 0.8], [1.0, 0.0, 6.0]]])
    torch.testing.assert_close(mean_of_same(pairs), torch.tensor([3.0]))
    torch.testing.assert_close(mean_of_different(pairs), torch.tensor([0.5]))


def test_a_displacement_that_is_flat_to_rounding_correlates_with_nothing() -> None:
    images = torch.rand(4, 3, 1, 5, 5, generator=torch.Generator().manual_seed(2))
    shifted = (images + 0.1) - images
    assert shifted.flatten(2).std(2).max() > 0
    assert correlations(shifted, ONE).isnan().all()


def test_the_ratio_of_a_known_mean_to_known_noise_is_found() -> None:
    """With noise of deviation s in D pixels, lengths are |m| and s sqrt(D)."""
    generator = torch.Generator().manual_seed(3)
    mean = torch.tensor([0.0, 0.3, 3.0]).reshape(1, 3, 1, 1, 1)
    ratios = signal_to_noise(mean + 0.5 * torch.randn(4000, 3, 1, 5, 5, generator=generator))
    np.testing.assert_allclose(ratios, [0, 0.6, 6], rtol=0.02, atol=0.03)


def test_the_noise_left_in_a_mean_of_few_is_no_signal() -> None:
    """Its square is right on average: 4 draws of signal one and noise one would else say 1.25."""
    generator = torch.Generator().manual_seed(4)
    ratios = signal_to_noise(0.2 + torch.randn(4, 2000, 1, 16, 16, generator=generator) * 0.2)
    np.testing.assert_allclose(ratios.square().mean(), 1, rtol=0.03)


def test_without_deviations_the_ratio_is_infinite_and_without_movement_nothing() -> None:
    assert signal_to_noise(ONE[:1].expand(7, -1, -1, -1, -1)).isinf().all()
    assert signal_to_noise(torch.zeros(3, 2, 1, 5, 5)).isnan().all()
