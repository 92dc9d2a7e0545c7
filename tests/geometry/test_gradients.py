"""Agreement of two gradients, against numpy and by its invariances."""

import numpy as np
import torch

from purigeom.geometry.gradients import cosine, pearson, relative_error

ONE, OTHER = (torch.randn(5, 1, 3, 4, generator=torch.Generator().manual_seed(seed)) + 0.5 for seed in (0, 1))


def test_agreement_is_numpy_s() -> None:
    rows = [gradient.flatten(1).double().numpy() for gradient in (ONE, OTHER)]
    for place, (one, other) in enumerate(zip(*rows, strict=True)):
        expected = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
        np.testing.assert_allclose(cosine(ONE, OTHER)[place], expected)
        np.testing.assert_allclose(pearson(ONE, OTHER)[place], np.corrcoef(one, other)[0, 1])
        np.testing.assert_allclose(
            relative_error(ONE, OTHER)[place], np.linalg.norm(one - other) / np.linalg.norm(other)
        )


def test_tiny_gradients_have_a_direction_and_zero_ones_have_none() -> None:
    torch.testing.assert_close(cosine(1e-30 * ONE, OTHER), cosine(ONE, OTHER))
    assert cosine(0 * ONE, OTHER).isnan().all()
    assert relative_error(ONE, 0 * OTHER).isnan().all()


def test_only_pearson_ignores_a_constant() -> None:
    torch.testing.assert_close(pearson(ONE + 3, OTHER), pearson(ONE, OTHER), rtol=1e-5, atol=1e-6)
    assert not torch.allclose(cosine(ONE + 3, OTHER), cosine(ONE, OTHER), atol=1e-2)
