"""Fréchet distances, against closed forms and against the textbook formula."""

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from purigeom.geometry.frechet import frechet_distance

GENERATOR = np.random.default_rng(0)


def whitened(count: int, size: int) -> np.ndarray:
    """Return features whose sample mean is zero and whose sample covariance is the identity."""
    rows = GENERATOR.normal(size=(count, size))
    rows -= rows.mean(0)
    return rows @ np.linalg.inv(np.linalg.cholesky(np.cov(rows.T))).T


def distance(features: np.ndarray, others: np.ndarray) -> float:
    return frechet_distance(torch.from_numpy(features), torch.from_numpy(others)).item()


def test_normals_along_the_same_axes_are_as_far_apart_as_their_deviations_and_means() -> None:
    """|m1 - m2|^2 + sum (s1 - s2)^2, exactly, of samples whose moments are exact."""
    deviations, others = np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 0.5])
    shift = np.array([0.0, 1.0, -2.0])
    found = distance(whitened(20, 3) * deviations, whitened(50, 3) * others + shift)
    np.testing.assert_allclose(found, 5 + ((deviations - others) ** 2).sum(), rtol=1e-12)


def test_it_is_the_textbook_formula_where_covariances_do_not_commute() -> None:
    features, others = (GENERATOR.normal(size=(40, 5)) @ GENERATOR.normal(size=(5, 5)) for _ in range(2))
    one, other = np.cov(features.T), np.cov(others.T)
    gap = ((features.mean(0) - others.mean(0)) ** 2).sum()
    expected = gap + np.trace(one + other - 2 * sqrtm(one @ other).real)
    np.testing.assert_allclose(distance(features, others), expected, rtol=1e-8)
    np.testing.assert_allclose(distance(others, features), expected, rtol=1e-8)


def test_equal_sets_are_at_zero_even_where_a_feature_is_dead_and_another_huge() -> None:
    features = GENERATOR.normal(size=(30, 4)) * np.array([1e4, 1.0, 1e-4, 0.0])
    assert distance(features, features) < 1e-12 * features.var(0).sum()


def test_a_rotation_of_both_sets_changes_nothing() -> None:
    features, others = GENERATOR.normal(size=(30, 4)), 2 * GENERATOR.normal(size=(25, 4)) + 1
    rotation, _ = np.linalg.qr(GENERATOR.normal(size=(4, 4)))
    np.testing.assert_allclose(distance(features @ rotation, others @ rotation), distance(features, others))


def test_too_few_images_and_other_features_are_refused() -> None:
    table = torch.randn(10, 10)
    with pytest.raises(ValueError, match=r"more images than features.*got 10 images with 10 features"):
        frechet_distance(table, table)
    with pytest.raises(ValueError, match="two tables of the same features"):
        frechet_distance(torch.randn(10, 2), torch.randn(10, 3))
    with pytest.raises(ValueError, match="needs finite features"):
        frechet_distance(torch.full((10, 2), torch.nan), torch.randn(10, 2))
